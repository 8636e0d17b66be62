/**
 * Suffix arrays by induced sorting (SA-IS; Nong, Zhang, Chan, 2009): linear time, and no
 * recursion on anything longer than half of the text.
 *
 * A suffix is of type S when it is smaller than the next one, else of type L; an LMS suffix is an
 * S right after an L. The order of the LMS suffixes induces that of all others.
 */
type Text = Uint8Array | Int32Array;

/** The starts of all suffixes of `symbols` in their lexicographic order (a prefix comes first). */
export function suffixArrayOf(symbols: Uint8Array, alphabetSize: number): Int32Array {
  return sortSuffixes(symbols, alphabetSize);
}

function sortSuffixes(text: Text, alphabetSize: number): Int32Array {
  const length = text.length;
  const order = new Int32Array(length);
  if (length < 2) return order;
  const ends = bucketEndsOf(text, alphabetSize);
  const lmsStarts = lmsStartsOf(text);

  order.fill(-1);
  const fill = ends.slice();
  for (let i = lmsStarts.length - 1; i >= 0; i--) {
    const start = lmsStarts[i]!;
    order[--fill[text[start]!]!] = start;
  }
  induce(text, order, ends);

  const sortedLms = lmsStarts.length > 1 ? sortLms(text, order, lmsStarts) : lmsStarts;
  order.fill(-1);
  fill.set(ends);
  for (let i = sortedLms.length - 1; i >= 0; i--) {
    const start = sortedLms[i]!;
    order[--fill[text[start]!]!] = start;
  }
  induce(text, order, ends);
  return order;
}

/** For each symbol the place behind its last suffix in the order. */
function bucketEndsOf(text: Text, alphabetSize: number): Int32Array {
  const ends = new Int32Array(alphabetSize);
  for (const symbol of text) ends[symbol]!++;
  let end = 0;
  for (let symbol = 0; symbol < alphabetSize; symbol++) {
    end += ends[symbol]!;
    ends[symbol] = end;
  }
  return ends;
}

/** The starts of the LMS suffixes, ascending. The last suffix is of type L: it goes before the empty one. */
function lmsStartsOf(text: Text): Int32Array {
  const starts = new Int32Array(text.length >>> 1);
  let at = starts.length;
  let next = text[text.length - 1]!;
  let nextIsS = false;
  for (let i = text.length - 2; i >= 0; i--) {
    const symbol = text[i]!;
    const isS: boolean = symbol < next || (symbol === next && nextIsS);
    if (nextIsS && !isS) starts[--at] = i + 1;
    next = symbol;
    nextIsS = isS;
  }
  return starts.slice(at);
}

/**
 * Given LMS suffixes at the ends of their buckets, puts first all L suffixes in order from the
 * fronts, then all S suffixes in order from the ends (over the LMS ones).
 *
 * A place holds ~start where the suffix before it is not of the type that the pass sorts: the
 * text is then read once for every suffix, at the moment it is placed.
 */
function induce(text: Text, order: Int32Array, ends: Int32Array): void {
  const length = text.length;
  const heads = new Int32Array(ends.length);
  heads.set(ends.subarray(0, -1), 1);

  const last = text[length - 1]!;
  order[heads[last]!++] = length > 1 && text[length - 2]! < last ? ~(length - 1) : length - 1;
  for (let i = 0; i < length; i++) {
    const start = order[i]!;
    order[i] = ~start;
    if (start > 0) {
      const before = start - 1;
      const symbol = text[before]!;
      order[heads[symbol]!++] = before > 0 && text[before - 1]! < symbol ? ~before : before;
    }
  }

  const tails = ends.slice();
  for (let i = length - 1; i >= 0; i--) {
    const start = order[i]!;
    if (start > 0) {
      const before = start - 1;
      const symbol = text[before]!;
      order[--tails[symbol]!] = before === 0 || text[before - 1]! > symbol ? ~before : before;
    } else {
      order[i] = ~start;
    }
  }
}

/** The LMS suffixes in order: those substrings named by rank, then the names' own suffixes sorted. */
function sortLms(text: Text, order: Int32Array, lmsStarts: Int32Array): Int32Array {
  const count = lmsStarts.length;
  const indexOf = new Int32Array(text.length >>> 1).fill(-1);
  for (let i = 0; i < count; i++) indexOf[lmsStarts[i]! >>> 1] = i;

  const names = new Int32Array(count);
  let name = -1;
  let previous = -1;
  for (const start of order) {
    const index = start >>> 1 < indexOf.length ? indexOf[start >>> 1]! : -1;
    if (index < 0 || lmsStarts[index] !== start) continue;
    if (previous < 0 || !sameLmsSubstring(text, lmsStarts, previous, index)) name++;
    names[index] = name;
    previous = index;
  }

  const sorted = new Int32Array(count);
  if (name + 1 === count) {
    for (let i = 0; i < count; i++) sorted[names[i]!] = lmsStarts[i]!;
    return sorted;
  }
  const nameOrder = sortSuffixes(names, name + 1);
  for (let i = 0; i < count; i++) sorted[i] = lmsStarts[nameOrder[i]!]!;
  return sorted;
}

/** Whether the texts from one LMS start up to and with the next one are the same. */
function sameLmsSubstring(text: Text, lmsStarts: Int32Array, a: number, b: number): boolean {
  if (a === lmsStarts.length - 1 || b === lmsStarts.length - 1) return false;
  let i = lmsStarts[a]!;
  let j = lmsStarts[b]!;
  const end = lmsStarts[a + 1]!;
  if (end - i !== lmsStarts[b + 1]! - j) return false;
  while (i <= end) {
    if (text[i++] !== text[j++]) return false;
  }
  return true;
}
