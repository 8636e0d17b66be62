import { SymmetraError } from '@symmetra/crypto';

const QUOTATION_MARK = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * What the text of a report holds. A member that stands twice is refused: of two readers one would see the first and
 * the other the second, while only one of them was signed.
 * @throws SyntaxError for what is not JSON, REPORT_MALFORMED
 */
export function parseReport(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (membersIn(text) === membersOf(value)) return value;
  throw new SymmetraError('REPORT_MALFORMED', 'a member stands twice in the report');
}

/** How many members are written in a JSON text: outside of texts each has a colon, and nothing else has. */
function membersIn(json: string): number {
  let members = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i++) {
    const unit = json.charCodeAt(i);
    if (unit === QUOTATION_MARK) quoted = !quoted;
    else if (unit === BACKSLASH) i++;
    else if (unit === COLON && !quoted) members++;
  }
  return members;
}

/** How many members all objects within a value have, however deeply it nests. */
function membersOf(value: unknown): number {
  let members = 0;
  const waiting = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const below = Object.values(next);
    if (!Array.isArray(next)) members += below.length;
    for (const member of below) waiting.push(member);
  }
  return members;
}
