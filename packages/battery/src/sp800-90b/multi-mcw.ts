import type { Estimate } from './estimate.js';
import { predictionEstimate } from './prediction.js';
import type { SymbolSequence } from './samples.js';

const windowLengths = [63, 255, 1023, 4095] as const;

/**
 * The multi most-common-in-window prediction estimate of SP 800-90B clause 6.3.7: four windows
 * predict their most frequent symbol (of several the latest seen), the best so far is believed.
 * Needs at least 4096 samples.
 */
export function multiMcwEstimate({ symbols, alphabetSize }: SymbolSequence): Estimate {
  const windows = windowLengths.map((length) => new SlidingWindow(length, symbols, alphabetSize));
  const scores = new Int32Array(windows.length);
  const shortest = windowLengths[0];
  let winner = 0;
  let correct = 0;
  let run = 0;
  let longestRun = 0;
  for (let i = shortest; i < symbols.length; i++) {
    const symbol = symbols[i]!;
    if (windows[winner]!.frequent === symbol) {
      correct++;
      run++;
      if (run > longestRun) longestRun = run;
    } else {
      run = 0;
    }
    for (let w = 0; w < windows.length; w++) {
      const window = windows[w]!;
      if (i < window.length) break;
      if (window.frequent === symbol && ++scores[w]! >= scores[winner]!) winner = w;
      window.slideTo(i);
    }
  }
  return predictionEstimate({ correct, predictions: symbols.length - shortest, longestRun }, alphabetSize);
}

/** The last `length` symbols: how often each occurs, and where it was last seen. */
class SlidingWindow {
  readonly length: number;
  frequent = 0;
  private readonly symbols: Uint8Array;
  private readonly counts: Int32Array;
  private readonly lastSeen: Int32Array;
  private highest = 0;

  /** Filled with the first `length` symbols. */
  constructor(length: number, symbols: Uint8Array, alphabetSize: number) {
    this.length = length;
    this.symbols = symbols;
    this.counts = new Int32Array(alphabetSize);
    this.lastSeen = new Int32Array(alphabetSize).fill(-1);
    for (let i = 0; i < length; i++) this.challenge(symbols[i]!, this.enter(i));
  }

  /** The symbol at `i` comes in, the one `length` before it goes out. */
  slideTo(i: number): void {
    const leaving = this.symbols[i - this.length]!;
    this.counts[leaving]!--;
    const count = this.enter(i);
    if (leaving === this.frequent) this.chooseAnew();
    else this.challenge(this.symbols[i]!, count);
  }

  private enter(i: number): number {
    const symbol = this.symbols[i]!;
    this.lastSeen[symbol] = i;
    return ++this.counts[symbol]!;
  }

  /** The symbol just seen wins a tie: no other was seen later. */
  private challenge(symbol: number, count: number): void {
    if (count < this.highest) return;
    this.highest = count;
    this.frequent = symbol;
  }

  private chooseAnew(): void {
    let best = this.frequent;
    for (let symbol = 0; symbol < this.counts.length; symbol++) {
      const lead = this.counts[symbol]! - this.counts[best]!;
      if (lead > 0 || (lead === 0 && this.lastSeen[symbol]! > this.lastSeen[best]!)) best = symbol;
    }
    this.frequent = best;
    this.highest = this.counts[best]!;
  }
}
