import { WatchedGate } from '@symmetra/entropy';
import { Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';

const BYTES = 4096;
const CHECK_BYTES = 64 * BYTES;

const prng = new Prng('watched gate');
const good = (): Uint8Array => prng.bytes(BYTES);

/** Good bytes of which one in `share` of the values 255 is replaced: too little for any single buffer. */
function lacking(): Uint8Array {
  return good().map((byte) => (byte === 255 && prng.chance(0.25) ? prng.below(255) : byte));
}

/** Every value equally often, in an order of its own: too even. */
function even(): Uint8Array {
  const bytes = Uint8Array.from({ length: BYTES }, (_, i) => i & 255);
  for (let i = BYTES - 1; i > 0; i--) {
    const j = prng.below(i + 1);
    [bytes[i], bytes[j]] = [bytes[j] as number, bytes[i] as number];
  }
  return bytes;
}

function feed(gate: WatchedGate, buffers: number, next: () => Uint8Array): readonly boolean[] {
  return Array.from({ length: buffers }, () => gate.check(next()).passed);
}

describe('a gate that watches', () => {
  test('lets good buffers pass and counts them', () => {
    const gate = new WatchedGate({ bytes: BYTES, checkBytes: CHECK_BYTES });
    expect(gate.watch).toEqual({
      buffers: 0,
      rejected: 0,
      bytes: 0,
      chiSquareP: 1,
      suspicious: [],
      shut: false,
    });
    expect(feed(gate, 300, good)).not.toContain(false);
    const { chiSquareP, suspicious, ...counts } = gate.watch;
    expect(counts).toEqual({ buffers: 300, rejected: 0, bytes: 300 * BYTES, shut: false });
    expect(chiSquareP).toBeGreaterThan(0.001);
    expect(suspicious.length).toBeLessThan(3);
  });

  test('shuts for good when all bytes together lack what no single buffer does', () => {
    const gate = new WatchedGate({ bytes: BYTES, checkBytes: CHECK_BYTES });
    const passed = feed(gate, 2000, lacking);
    const first = passed.indexOf(false);
    expect(first).toBeGreaterThan(0);
    // Only at a look at the sums.
    expect((first + 1) % (CHECK_BYTES / BYTES)).toBe(0);
    expect(passed.slice(first)).not.toContain(true);
    expect(gate.watch).toMatchObject({ shut: true, rejected: 2000 - first });
    expect(feed(gate, 10, good)).not.toContain(true);
  });

  test('a buffer that fails by itself is rejected and not counted', () => {
    const gate = new WatchedGate({ bytes: BYTES });
    expect(gate.check(new Uint8Array(BYTES)).passed).toBe(false);
    expect(gate.watch).toMatchObject({ buffers: 1, rejected: 1, bytes: 0, shut: false });
    expect(gate.check(good()).passed).toBe(true);
  });

  test('p-values of many buffers that are not uniform are named', () => {
    const gate = new WatchedGate({ bytes: BYTES });
    feed(gate, 200, even);
    expect(gate.watch.suspicious).toContain('byteFrequencies');
  });

  test('a size that no gate has is refused', () => {
    expect(() => new WatchedGate({ bytes: 17 })).toThrow(
      expect.objectContaining({ code: 'GATE_BAD_ARGUMENT' }),
    );
  });
});
