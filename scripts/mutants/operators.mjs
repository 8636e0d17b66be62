// Finds what the sweep can change in a file. A tokenizer of few rules: it knows comments, strings, templates, regular
// expressions, imports, interfaces and type aliases, and leaves them as they are; the formatter's spaces tell a
// comparison from a type argument. The zero of `fill(0)` is passed over: whatever stands there, the secret is gone.

/**
 * @typedef {object} Mutation
 * @property {string} file
 * @property {number} at offset in the file
 * @property {string} line the line it stands in, trimmed
 * @property {number} nth which of its kind in the line, from 1
 * @property {string} from
 * @property {string} to
 */

const OPERATORS = new Map([
  ['<', '<='],
  ['<=', '<'],
  ['>', '>='],
  ['>=', '>'],
  ['===', '!=='],
  ['!==', '==='],
  ['&&', '||'],
  ['||', '&&'],
]);

/** What is passed over, by its first characters; the last alternatives are what may be changed. */
const TOKEN = new RegExp(
  [
    String.raw`(?<skipped>\/\*[\s\S]*?\*\/|\/\/[^\n]*`,
    String.raw`'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\x60(?:[^\x60\\]|\\.)*\x60`,
    String.raw`(?<=[=(,:?]\s)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*`,
    String.raw`^(?:import|export (?:\*|\{|type \{))[^;]*;`,
    String.raw`^(?:export )?interface [\s\S]*?^\}`,
    String.raw`^(?:export )?type \w+(?:<[^=]*>)? =[\s\S]*?;$)`,
    String.raw`(?<operator>(?<= )(?:===|!==|<=|>=|<|>|&&)(?=\s)|\|\|(?=\s))`,
    String.raw`(?<number>(?<![\w.$]|fill\()(?:0x[\da-f_]+|\d[\d_]*)(?![\w.]))`,
  ].join('|'),
  'gim',
);

/**
 * @param {string} file relative to the root
 * @param {string} source
 * @returns {readonly Mutation[]}
 */
export function mutationsOf(file, source) {
  /** @type {Mutation[]} */
  const found = [];
  for (const match of source.matchAll(TOKEN)) {
    const { operator, number } = match.groups ?? {};
    const from = operator ?? number;
    if (from === undefined) continue;
    const at = match.index;
    const start = source.lastIndexOf('\n', at) + 1;
    const end = source.indexOf('\n', at);
    const to = OPERATORS.get(from) ?? `(${from} + 1)`;
    const line = source.slice(start, end < 0 ? source.length : end).trim();
    const nth = found.filter((one) => one.at >= start && one.from === from).length + 1;
    found.push({ file, at, line, nth, from, to });
  }
  return found;
}
