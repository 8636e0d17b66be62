/**
 * Sequences whose values NIST's tools have assessed (sp800-90b-*.json): anyone can make the same
 * ones anew. All come from one 32-bit xorshift generator (13, 17, 5), whose upper bits are used.
 */
type SequenceKind = 'uniform' | 'biased' | 'markov' | 'normal' | 'gapped' | 'bursts' | 'counter';

export interface SequenceDescription {
  readonly kind: SequenceKind;
  readonly bitsPerSample: number;
  readonly samples: number;
  readonly seed: number;
}

/** The samples, one per byte. */
export function sequence({ kind, bitsPerSample, samples, seed }: SequenceDescription): Uint8Array {
  const next = xorshift(seed);
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  const range = 2 ** bitsPerSample;
  const out = new Uint8Array(samples);
  for (let i = 0; i < samples; i++) out[i] = draw(i);
  return out;

  function draw(i: number): number {
    switch (kind) {
      case 'uniform':
        return below(range);
      case 'biased': // 0 comes 30 % more often than the even share
        return below(10) < 3 ? 0 : below(range);
      case 'markov': // one in five repeats the sample before
        return i > 0 && below(5) === 0 ? (out[i - 1] as number) : below(range);
      case 'normal': // the mean of four uniform ones
        return Math.floor((below(range) + below(range) + below(range) + below(range)) / 4);
      case 'gapped': // values in steps of five only
        return below(Math.ceil(range / 5)) * 5;
      case 'bursts': // every 5,000 samples stand still for 60
        return i > 0 && i % 5000 < 60 ? (out[i - 1] as number) : below(range);
      case 'counter': // no randomness at all
        return i % range;
    }
  }
}

function xorshift(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state;
  };
}
