import type { Prng } from './prng.js';

/** Where a process may die while it makes one step of a protocol. */
export const CRASH_POINTS = ['before-persist', 'after-persist', 'after-send'] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** What the simulated network does to messages. */
export const FAULT_KINDS = [
  'lost',
  'repeated',
  'delayed',
  'reordered',
  'flipped',
  'truncated',
  'extended',
  'spliced',
] as const;

/** The weather of one run: a probability for each fault. */
export interface Faults {
  readonly loss: number;
  readonly repetition: number;
  readonly corruption: number;
  readonly delay: number;
  /** Longest delay, ticks. */
  readonly longestDelay: number;
  /** For each crash point of each commit. */
  readonly crash: number;
}

/** No faults at all. */
export const CALM: Faults = { loss: 0, repetition: 0, corruption: 0, delay: 0, longestDelay: 1, crash: 0 };

/** Draws the weather of one run: each fault is absent, rare or frequent. */
export function drawFaults(prng: Prng): Faults {
  const rate = (frequent: number): number => prng.pick([0, frequent / 8, frequent / 3, frequent]);
  return {
    loss: rate(0.4),
    repetition: rate(0.4),
    corruption: rate(0.3),
    delay: rate(0.5),
    longestDelay: prng.pick([5, 20, 80]),
    crash: rate(0.12),
  };
}

/** A damaged copy of a message, and the kind of damage. `other` is another message, to splice with. */
export function corrupt(
  prng: Prng,
  frame: Uint8Array,
  other: Uint8Array,
): { readonly kind: (typeof FAULT_KINDS)[number]; readonly frame: Uint8Array } {
  switch (prng.below(4)) {
    case 0:
      return { kind: 'truncated', frame: frame.slice(0, prng.below(frame.length)) };
    case 1: {
      const extended = new Uint8Array(frame.length + prng.between(1, 40));
      extended.set(frame);
      return { kind: 'extended', frame: extended };
    }
    case 2: {
      const spliced = frame.slice();
      const at = prng.below(frame.length);
      spliced.set(
        other.subarray(at, frame.length).subarray(0, prng.between(1, 64)),
        Math.min(at, frame.length),
      );
      return { kind: 'spliced', frame: spliced };
    }
    default: {
      const flipped = frame.slice();
      const at = prng.below(frame.length);
      flipped[at] = (flipped[at] as number) ^ (1 << prng.below(8));
      return { kind: 'flipped', frame: flipped };
    }
  }
}
