import { FIPS1402_BLOCK_BYTES } from '@symmetra/battery';
import type { Fips1402Result, Fips1402Test } from '@symmetra/battery';

/*
 * FIPS 140-2 on texts of 0 and 1, as slow as plain. With `rngtest` it makes that program's two slips in counting: the
 * last run of a block counts for the other bit; where a block begins with another bit than the last one ended, one run
 * of six ones (it begins with 1) or one nibble 15 (with 0) is counted too many. With them it must give that program's
 * own numbers.
 */
export type Accounting = 'standard' | 'rngtest';

const BOUNDS = [
  [2315, 2685],
  [1114, 1386],
  [527, 723],
  [240, 384],
  [103, 209],
  [103, 209],
] as const;

/** What stood before a block. */
interface Before {
  readonly bit: string;
  readonly word: string;
}

export function modelOf(bytes: Uint8Array, accounting: Accounting, previous?: Uint8Array): Fips1402Result {
  const blocks = Math.floor(bytes.length / FIPS1402_BLOCK_BYTES);
  const failures = { monobit: 0, poker: 0, runs: 0, longRun: 0, continuous: 0 };
  let failedBlocks = 0;
  let before: Before = { bit: '0', word: previous === undefined ? '' : bitsOf(previous).slice(-32) };
  for (let block = 0; block < blocks; block += 1) {
    const offset = block * FIPS1402_BLOCK_BYTES;
    const text = bitsOf(bytes.subarray(offset, offset + FIPS1402_BLOCK_BYTES));
    const failed = failedTests(text, before, accounting);
    for (const test of failed) failures[test] += 1;
    failedBlocks += failed.length > 0 ? 1 : 0;
    before = { bit: text.slice(-1), word: text.slice(-32) };
  }
  return { blocks, failures, failedBlocks };
}

function failedTests(text: string, before: Before, accounting: Accounting): Fips1402Test[] {
  const slips = accounting === 'rngtest';
  const words = text.match(/.{32}/g) ?? [];
  const runs = (text.match(/0+|1+/g) ?? []).map((run) => run.slice(0, 6));
  const nibbles = tally(text.match(/.{4}/g) ?? []);
  if (slips) {
    const last = runs.pop() ?? '';
    runs.push(last.startsWith('1') ? last.replaceAll('1', '0') : last.replaceAll('0', '1'));
    if (!text.startsWith(before.bit)) {
      if (text.startsWith('1')) runs.push('111111');
      else nibbles.set('1111', (nibbles.get('1111') ?? 0) + 1);
    }
  }
  const runCounts = tally(runs);
  const ones = text.replaceAll('0', '').length;
  const squares = [...nibbles.values()].reduce((sum, times) => sum + times * times, 0);
  const outside = (bit: string): boolean =>
    BOUNDS.some(([least, most], i) => {
      const count = runCounts.get(bit.repeat(i + 1)) ?? 0;
      return count < least || count > most;
    });
  const verdicts: Record<Fips1402Test, boolean> = {
    monobit: ones <= 9725 || ones >= 10_275,
    poker: squares < 1_563_176 || squares > 1_576_928,
    runs: outside('0') || outside('1'),
    longRun: /0{26}|1{26}/.test(text),
    continuous: words.some((word, i) => word === (words[i - 1] ?? before.word)),
  };
  return (Object.keys(verdicts) as Fips1402Test[]).filter((test) => verdicts[test]);
}

const TEXTS = Array.from({ length: 256 }, (_, byte) => byte.toString(2).padStart(8, '0'));

/** The bits of bytes, most significant first, as text. */
export function bitsOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => TEXTS[byte] ?? '').join('');
}

/** The bytes whose bits a text holds. */
export function bytesOf(bits: string): Uint8Array {
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

function tally(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
