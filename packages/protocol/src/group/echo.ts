import { equalConstantTime } from '@symmetra/crypto';

/** GRP-5: a deal that a node stands by. */
export interface EchoedDeal {
  readonly epoch: number;
  /** `dh`. */
  readonly dealHash: Uint8Array;
}

/** A deal that a node names. */
export interface NamedDeal extends EchoedDeal {
  /** GRP-11: it echoed the deal, and stands by it no more. */
  readonly givenUp?: boolean;
}

/**
 * What one node says of a group: its pending deal, the one in force there and some that were, as far as it has them; then
 * those that it gave up.
 */
export type GroupEcho = readonly NamedDeal[];

/** What the **other** nodes said of a group, by node id. It lives in memory: who restarts asks again. */
export type EchoBook = ReadonlyMap<string, GroupEcho>;

/** Most deals in one echo that a node stands by. */
export const MAX_STOOD_BY = 6;
/** Most deals in one echo that it gave up: the newest. */
export const MAX_GIVEN_UP = 32;

/** Who counts for a deal: those that stand by it, or also those that echoed it and gave it up. */
export type Backing = 'standing' | 'echoed';

/** GRP-5: q, the larger of k and the least majority of n. */
export function echoQuorum(nodes: number, threshold: number): number {
  return Math.max(threshold, Math.floor(nodes / 2) + 1);
}

/**
 * GRP-5: takes what another node says now for what it said before. A node that names a second deal of an epoch, now or
 * later, lies: of that epoch it keeps the first.
 * @param echo the first are looked at, as many as an honest node can name.
 */
export function receiveEcho(book: EchoBook, nodeId: string, echo: GroupEcho): EchoBook {
  const before = book.get(nodeId) ?? [];
  const said = new Map<number, NamedDeal>();
  for (const deal of echo.slice(0, MAX_STOOD_BY + MAX_GIVEN_UP)) {
    if (said.has(deal.epoch)) continue;
    const { dealHash } = before.find((earlier) => earlier.epoch === deal.epoch) ?? deal;
    said.set(deal.epoch, { epoch: deal.epoch, dealHash, givenUp: deal.givenUp === true });
  }
  return new Map(book).set(nodeId, [...said.values()]);
}

/** Whether a node counts for a deal. */
function backs(echo: GroupEcho, dealHash: Uint8Array, backing: Backing): boolean {
  return echo.some(
    (said) => (backing === 'echoed' || said.givenUp !== true) && equalConstantTime(said.dealHash, dealHash),
  );
}

/** How many of some nodes echo a deal. */
export function countEchoes(
  book: EchoBook,
  nodes: readonly string[],
  dealHash: Uint8Array,
  backing: Backing = 'standing',
): number {
  return nodes.filter((node) => backs(book.get(node) ?? [], dealHash, backing)).length;
}

/** How many of some nodes echo a deal, and stand by none above it but the one that follows it. */
export function countNewest(
  book: EchoBook,
  nodes: readonly string[],
  { epoch, dealHash }: EchoedDeal,
  next: Uint8Array,
): number {
  const isNewest = (echo: GroupEcho): boolean =>
    backs(echo, dealHash, 'standing') &&
    echo.every(
      (said) => said.epoch <= epoch || said.givenUp === true || equalConstantTime(said.dealHash, next),
    );
  return nodes.filter((node) => isNewest(book.get(node) ?? [])).length;
}

/**
 * How many of some nodes can not have an epoch come into force any more that they do not have: they name one above it, and
 * do not stand by the epoch itself.
 */
export function countPassed(
  book: EchoBook,
  nodes: readonly string[],
  { epoch, dealHash }: EchoedDeal,
): number {
  const passed = (echo: GroupEcho): boolean =>
    echo.some((said) => said.epoch > epoch) && !backs(echo, dealHash, 'standing');
  return nodes.filter((node) => passed(book.get(node) ?? [])).length;
}
