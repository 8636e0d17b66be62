import { equalConstantTime } from '@symmetra/crypto';

/** GRP-5: a deal that a node stands by. */
export interface EchoedDeal {
  readonly epoch: number;
  /** `dh`. */
  readonly dealHash: Uint8Array;
}

/** What one node says of a group: its pending deal, the one in force there and some that were, as far as it has them. */
export type GroupEcho = readonly EchoedDeal[];

/** What the **other** nodes said of a group, by node id. It lives in memory: who restarts asks again. */
export type EchoBook = ReadonlyMap<string, GroupEcho>;

/** Most deals in one echo. */
export const MAX_ECHOED = 6;

/** GRP-5: q, the larger of k and the least majority of n. */
export function echoQuorum(nodes: number, threshold: number): number {
  return Math.max(threshold, Math.floor(nodes / 2) + 1);
}

/**
 * GRP-5: takes what another node says now for what it said before. A node that names a second deal of an epoch lies:
 * of that epoch it keeps the first.
 * @param echo at most {@link MAX_ECHOED} are looked at.
 */
export function receiveEcho(book: EchoBook, nodeId: string, echo: GroupEcho): EchoBook {
  const before = book.get(nodeId) ?? [];
  const said = echo
    .slice(0, MAX_ECHOED)
    .map((deal) => before.find((earlier) => earlier.epoch === deal.epoch) ?? deal);
  return new Map(book).set(nodeId, said);
}

/** How many of some nodes echo a deal. */
export function countEchoes(book: EchoBook, nodes: readonly string[], dealHash: Uint8Array): number {
  return nodes.filter((node) => book.get(node)?.some((said) => equalConstantTime(said.dealHash, dealHash)))
    .length;
}

/** How many of some nodes echo a deal, and none above it but the one that follows it. */
export function countNewest(
  book: EchoBook,
  nodes: readonly string[],
  { epoch, dealHash }: EchoedDeal,
  next: Uint8Array,
): number {
  const isNewest = (echo: GroupEcho): boolean =>
    echo.some((said) => equalConstantTime(said.dealHash, dealHash)) &&
    echo.every((said) => said.epoch <= epoch || equalConstantTime(said.dealHash, next));
  return nodes.filter((node) => isNewest(book.get(node) ?? [])).length;
}

/**
 * How many of some nodes can not have an epoch come into force any more that they do not have: they name one above it, and
 * not the epoch itself.
 */
export function countPassed(
  book: EchoBook,
  nodes: readonly string[],
  { epoch, dealHash }: EchoedDeal,
): number {
  const passed = (echo: GroupEcho): boolean =>
    echo.some((said) => said.epoch > epoch) &&
    !echo.some((said) => said.epoch === epoch && equalConstantTime(said.dealHash, dealHash));
  return nodes.filter((node) => passed(book.get(node) ?? [])).length;
}
