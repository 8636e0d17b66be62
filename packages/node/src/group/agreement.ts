import { Reader, Writer, concat } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import {
  MAX_GIVEN_UP,
  MAX_STOOD_BY,
  SHORT_ID_LENGTH,
  decodeGroupHeader,
  echoOf,
  readCount,
  receiveEcho,
} from '@symmetra/protocol';
import type { EchoedDeal, GroupEcho } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import type { Freshness } from '../control/freshness.js';
import type { ControlState } from '../control/control-state.js';
import { hexOf } from '../rows/row-keys.js';
import type { Epochs } from './epochs.js';
import type { GroupSeat } from './group-seat.js';
import type { GroupTable } from './group-table.js';
import type { GroupTimers } from './group-timers.js';
import type { HeldGroup } from './held-group.js';

const ECHO_SUBJECT = 'group-echo';
const ECHO_TIMEOUT_MS = 2000;
/** The first pause before a pending deal is echoed again; each is twice as long as the one before. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
const MAX_HASH_BYTES = 64;
const MAX_NODE_ID_BYTES = 64;

export interface AgreementParts {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly state: ControlState;
  readonly freshness: Freshness;
  readonly seat: GroupSeat;
  readonly table: GroupTable;
  readonly timers: GroupTimers;
  readonly epochs: Epochs;
}

/** GRP-5: tells the other nodes what this one stands by, and learns what they stand by. */
export class Agreement {
  readonly #parts: AgreementParts;

  constructor(parts: AgreementParts) {
    this.#parts = parts;
    const { bus, seat } = parts;
    bus.serve(ECHO_SUBJECT, async (from, payload) =>
      seat.isHere
        ? this.#receive(from, payload)
        : seat.have('echo', new Writer().text(from).bytes(payload).finish()),
    );
    seat.offer('echo', async (request) => {
      const reader = new Reader(request, 'echo of a group');
      const from = reader.text(MAX_NODE_ID_BYTES);
      const payload = reader.bytes();
      reader.end();
      return this.#receive(from, payload);
    });
  }

  /** Echoes the pending deal of a group, again with growing pauses, until there is none. */
  begin(groupHex: string, pauseMs = FIRST_PAUSE_MS): void {
    void this.#echo(groupHex, pauseMs).catch((error: unknown) => {
      this.#parts.logger.warn(
        { group: groupHex, err: error },
        'A pending deal of a group could not be echoed.',
      );
      this.#again(groupHex, pauseMs);
    });
  }

  /** Asks nodes what they stand by, and tells them the same; those that do not answer in time are left out. */
  async ask(groupHex: string, nodes: readonly string[]): Promise<ReadonlyMap<string, GroupEcho>> {
    const { bus, logger, table } = this.#parts;
    const own = await table.run(groupHex, async ({ row }) => (row === undefined ? [] : echoOf(row.group)));
    const payload = concat(Buffer.from(groupHex, 'hex'), encodeEcho(own));
    const echoes = new Map<string, GroupEcho>();
    const others = nodes.filter((node) => node !== bus.self);
    const asked = others.map(async (node) => {
      try {
        const reply = await bus.request(node, ECHO_SUBJECT, payload, { timeoutMs: ECHO_TIMEOUT_MS });
        echoes.set(node, decodeEcho(reply));
      } catch (error) {
        logger.debug({ peer: node, err: error }, 'A node did not answer with its echo.');
      }
    });
    await Promise.all(asked);
    return echoes;
  }

  async #echo(groupHex: string, pauseMs: number): Promise<void> {
    const { state, table } = this.#parts;
    const nodes = await table.run(groupHex, async ({ row }) => {
      const { pending } = row?.group ?? {};
      return pending && decodeGroupHeader(state.context, pending.header).nodes;
    });
    if (nodes === undefined) return;
    const echoes = await this.ask(groupHex, nodes);
    if (table.isStopped) return;
    await table.run(groupHex, async (group) => this.#take(group, echoes));
    this.#again(groupHex, pauseMs);
  }

  #again(groupHex: string, pauseMs: number): void {
    const next = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    this.#parts.timers.set(`echo/${groupHex}`, pauseMs, () => this.begin(groupHex, next));
  }

  async #take(group: HeldGroup, echoes: Iterable<readonly [node: string, echo: GroupEcho]>): Promise<void> {
    for (const [node, echo] of echoes) group.echoes = receiveEcho(group.echoes, node, echo);
    if (group.row?.group.pending === undefined) return;
    const { freshness, epochs } = this.#parts;
    // CTL-7: a node that is not fresh brings no epoch into force.
    if (freshness.isFresh) await epochs.settle(group);
    else freshness.whenFresh(`epoch/${group.groupHex}`, () => this.begin(group.groupHex));
  }

  async #receive(from: string, payload: Uint8Array): Promise<Uint8Array> {
    const groupHex = hexOf(payload.subarray(0, SHORT_ID_LENGTH));
    const theirs = decodeEcho(payload.subarray(SHORT_ID_LENGTH));
    return this.#parts.table.run(groupHex, async (group) => {
      if (group.row === undefined) return encodeEcho([]);
      await this.#take(group, [[from, theirs]]);
      return encodeEcho(echoOf(group.row.group));
    });
  }
}

/** GRP-5: what a node stands by, then what it gave up. */
function encodeEcho(echo: GroupEcho): Uint8Array {
  const write = (writer: Writer, { epoch, dealHash }: EchoedDeal): void =>
    void writer.u64(epoch).bytes(dealHash);
  return new Writer()
    .list(
      echo.filter(({ givenUp }) => givenUp !== true),
      write,
    )
    .list(
      echo.filter(({ givenUp }) => givenUp === true),
      write,
    )
    .finish();
}

/** @throws BAD_ENCODING */
function decodeEcho(bytes: Uint8Array): GroupEcho {
  const reader = new Reader(bytes, 'echo of a group');
  const read = (r: Reader): EchoedDeal => ({ epoch: readCount(r), dealHash: r.bytes(MAX_HASH_BYTES) });
  const standing = reader.list(MAX_STOOD_BY, read);
  const givenUp = reader.list(MAX_GIVEN_UP, read);
  reader.end();
  return [...standing, ...givenUp.map(({ epoch, dealHash }) => ({ epoch, dealHash, givenUp: true }))];
}
