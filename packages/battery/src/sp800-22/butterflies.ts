/** Complex numbers as two arrays of equal length. */
export interface Points {
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

/** One pass over all points: `radix` parts, `parts` twiddle groups, runs of `stride` points. */
export interface Stage {
  readonly radix: 2 | 3 | 4 | 5;
  readonly parts: number;
  readonly stride: number;
  readonly twiddles: Float64Array;
}

type Butterfly = (stage: Stage, from: Points, to: Points) => void;

const sin60 = Math.sin(Math.PI / 3);
const cos72 = Math.cos((2 * Math.PI) / 5);
const cos144 = Math.cos((4 * Math.PI) / 5);
const sin72 = Math.sin((2 * Math.PI) / 5);
const sin144 = Math.sin((4 * Math.PI) / 5);

/** Stockham passes by radix: part p, run q: inputs at q + stride (p + parts k), outputs at q + stride (radix p + k). */
export const butterflies: Readonly<Record<Stage['radix'], Butterfly>> = {
  2: radix2,
  3: radix3,
  4: radix4,
  5: radix5,
};

function radix2({ parts, stride, twiddles }: Stage, from: Points, to: Points): void {
  const { real: xr, imaginary: xi } = from;
  const { real: yr, imaginary: yi } = to;
  const apart = parts * stride;
  for (let p = 0; p < parts; p++) {
    const w1r = twiddles[2 * p]!;
    const w1i = twiddles[2 * p + 1]!;
    let o = 2 * stride * p;
    for (let i = stride * p, end = i + stride; i < end; i++, o++) {
      const ar = xr[i]!;
      const ai = xi[i]!;
      const br = xr[i + apart]!;
      const bi = xi[i + apart]!;
      yr[o] = ar + br;
      yi[o] = ai + bi;
      const ur = ar - br;
      const ui = ai - bi;
      yr[o + stride] = ur * w1r - ui * w1i;
      yi[o + stride] = ur * w1i + ui * w1r;
    }
  }
}

function radix3({ parts, stride, twiddles }: Stage, from: Points, to: Points): void {
  const { real: xr, imaginary: xi } = from;
  const { real: yr, imaginary: yi } = to;
  const apart = parts * stride;
  for (let p = 0; p < parts; p++) {
    const t = 4 * p;
    const w1r = twiddles[t]!;
    const w1i = twiddles[t + 1]!;
    const w2r = twiddles[t + 2]!;
    const w2i = twiddles[t + 3]!;
    let o = 3 * stride * p;
    for (let i = stride * p, end = i + stride; i < end; i++, o++) {
      const ar = xr[i]!;
      const ai = xi[i]!;
      const br = xr[i + apart]!;
      const bi = xi[i + apart]!;
      const cr = xr[i + 2 * apart]!;
      const ci = xi[i + 2 * apart]!;
      const sr = br + cr;
      const si = bi + ci;
      const mr = ar - sr / 2;
      const mi = ai - si / 2;
      const dr = sin60 * (br - cr);
      const di = sin60 * (bi - ci);
      yr[o] = ar + sr;
      yi[o] = ai + si;
      const u1r = mr + di;
      const u1i = mi - dr;
      yr[o + stride] = u1r * w1r - u1i * w1i;
      yi[o + stride] = u1r * w1i + u1i * w1r;
      const u2r = mr - di;
      const u2i = mi + dr;
      yr[o + 2 * stride] = u2r * w2r - u2i * w2i;
      yi[o + 2 * stride] = u2r * w2i + u2i * w2r;
    }
  }
}

function radix4({ parts, stride, twiddles }: Stage, from: Points, to: Points): void {
  const { real: xr, imaginary: xi } = from;
  const { real: yr, imaginary: yi } = to;
  const apart = parts * stride;
  for (let p = 0; p < parts; p++) {
    const t = 6 * p;
    const w1r = twiddles[t]!;
    const w1i = twiddles[t + 1]!;
    const w2r = twiddles[t + 2]!;
    const w2i = twiddles[t + 3]!;
    const w3r = twiddles[t + 4]!;
    const w3i = twiddles[t + 5]!;
    let o = 4 * stride * p;
    for (let i = stride * p, end = i + stride; i < end; i++, o++) {
      const ar = xr[i]!;
      const ai = xi[i]!;
      const br = xr[i + apart]!;
      const bi = xi[i + apart]!;
      const cr = xr[i + 2 * apart]!;
      const ci = xi[i + 2 * apart]!;
      const dr = xr[i + 3 * apart]!;
      const di = xi[i + 3 * apart]!;
      const evenR = ar + cr;
      const evenI = ai + ci;
      const gapR = ar - cr;
      const gapI = ai - ci;
      const oddR = br + dr;
      const oddI = bi + di;
      const turnR = br - dr;
      const turnI = bi - di;
      yr[o] = evenR + oddR;
      yi[o] = evenI + oddI;
      const u1r = gapR + turnI;
      const u1i = gapI - turnR;
      yr[o + stride] = u1r * w1r - u1i * w1i;
      yi[o + stride] = u1r * w1i + u1i * w1r;
      const u2r = evenR - oddR;
      const u2i = evenI - oddI;
      yr[o + 2 * stride] = u2r * w2r - u2i * w2i;
      yi[o + 2 * stride] = u2r * w2i + u2i * w2r;
      const u3r = gapR - turnI;
      const u3i = gapI + turnR;
      yr[o + 3 * stride] = u3r * w3r - u3i * w3i;
      yi[o + 3 * stride] = u3r * w3i + u3i * w3r;
    }
  }
}

function radix5({ parts, stride, twiddles }: Stage, from: Points, to: Points): void {
  const { real: xr, imaginary: xi } = from;
  const { real: yr, imaginary: yi } = to;
  const apart = parts * stride;
  for (let p = 0; p < parts; p++) {
    const t = 8 * p;
    const w1r = twiddles[t]!;
    const w1i = twiddles[t + 1]!;
    const w2r = twiddles[t + 2]!;
    const w2i = twiddles[t + 3]!;
    const w3r = twiddles[t + 4]!;
    const w3i = twiddles[t + 5]!;
    const w4r = twiddles[t + 6]!;
    const w4i = twiddles[t + 7]!;
    let o = 5 * stride * p;
    for (let i = stride * p, end = i + stride; i < end; i++, o++) {
      const ar = xr[i]!;
      const ai = xi[i]!;
      const br = xr[i + apart]!;
      const bi = xi[i + apart]!;
      const cr = xr[i + 2 * apart]!;
      const ci = xi[i + 2 * apart]!;
      const dr = xr[i + 3 * apart]!;
      const di = xi[i + 3 * apart]!;
      const er = xr[i + 4 * apart]!;
      const ei = xi[i + 4 * apart]!;
      const outerR = br + er;
      const outerI = bi + ei;
      const innerR = cr + dr;
      const innerI = ci + di;
      const outerGapR = br - er;
      const outerGapI = bi - ei;
      const innerGapR = cr - dr;
      const innerGapI = ci - di;
      yr[o] = ar + outerR + innerR;
      yi[o] = ai + outerI + innerI;
      const m1r = ar + cos72 * outerR + cos144 * innerR;
      const m1i = ai + cos72 * outerI + cos144 * innerI;
      const m2r = ar + cos144 * outerR + cos72 * innerR;
      const m2i = ai + cos144 * outerI + cos72 * innerI;
      const v1r = sin72 * outerGapR + sin144 * innerGapR;
      const v1i = sin72 * outerGapI + sin144 * innerGapI;
      const v2r = sin144 * outerGapR - sin72 * innerGapR;
      const v2i = sin144 * outerGapI - sin72 * innerGapI;
      const u1r = m1r + v1i;
      const u1i = m1i - v1r;
      yr[o + stride] = u1r * w1r - u1i * w1i;
      yi[o + stride] = u1r * w1i + u1i * w1r;
      const u2r = m2r + v2i;
      const u2i = m2i - v2r;
      yr[o + 2 * stride] = u2r * w2r - u2i * w2i;
      yi[o + 2 * stride] = u2r * w2i + u2i * w2r;
      const u3r = m2r - v2i;
      const u3i = m2i + v2r;
      yr[o + 3 * stride] = u3r * w3r - u3i * w3i;
      yi[o + 3 * stride] = u3r * w3i + u3i * w3r;
      const u4r = m1r - v1i;
      const u4i = m1i + v1r;
      yr[o + 4 * stride] = u4r * w4r - u4i * w4i;
      yi[o + 4 * stride] = u4r * w4i + u4i * w4r;
    }
  }
}
