import { Reader, SymmetraError, Writer, concat, equalConstantTime } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import {
  DEVICE_ID_LENGTH,
  MAX_MEMBERS,
  Roster,
  SHORT_ID_LENGTH,
  countEchoes,
  dealHash,
  decodeGroupHeader,
  echoQuorum,
  groupEpochId,
} from '@symmetra/protocol';
import type {
  DealBase,
  GroupEcho,
  GroupHeader,
  Placed,
  ProtocolContext,
  RosterChanges,
} from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import { hexOf } from '../rows/row-keys.js';
import type { GroupSeat } from './group-seat.js';
import type { GroupTable } from './group-table.js';

const ROSTER_SUBJECT = 'group-roster';
const ROSTER_TIMEOUT_MS = 5000;

export interface RostersOfDealsParts {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly context: ProtocolContext;
  readonly seat: GroupSeat;
  readonly table: GroupTable;
}

/** GRP-11: what a node that is behind needs of a deal: its whole roster, from one that echoes it, or the epoch before it. */
export class RostersOfDeals {
  readonly #parts: RostersOfDealsParts;

  constructor(parts: RostersOfDealsParts) {
    this.#parts = parts;
    const { bus, seat } = parts;
    bus.serve(ROSTER_SUBJECT, async (_from, payload) =>
      seat.isHere ? this.#answer(payload) : seat.have('roster', payload),
    );
    seat.offer('roster', async (request) => this.#answer(request));
  }

  /** The roster from the first node that echoes the deal and gives one that fits its header; undefined when none does. */
  async fetch(
    groupHex: string,
    header: GroupHeader,
    hash: Uint8Array,
    echoes: ReadonlyMap<string, GroupEcho>,
  ): Promise<Roster | undefined> {
    const echoing = Array.from(echoes).filter(([, echo]) =>
      echo.some((said) => said.givenUp !== true && equalConstantTime(said.dealHash, hash)),
    );
    const nodes = echoing.map(([node]) => node);
    return this.#ask(groupHex, hash, nodes, (reader) => readRoster(reader, header));
  }

  /**
   * GRP-11: the epoch that a deal follows, likewise from a node that has it in force. The epoch id does not fix the tag: as
   * many nodes name the deal with this tag as have to, beside the one that asks.
   */
  async fetchBase(
    groupHex: string,
    { previous, nodes, threshold }: GroupHeader,
    echoes: ReadonlyMap<string, GroupEcho>,
  ): Promise<DealBase | undefined> {
    const answering = [...echoes.keys()];
    return this.#ask(groupHex, previous, answering, (reader) => {
      const { context } = this.#parts;
      const header = reader.bytes();
      const tag = reader.bytes();
      const decoded = decodeGroupHeader(context, header);
      const suite = context.suites.get(decoded.suiteId);
      if (!equalConstantTime(groupEpochId(suite, header), previous)) throw misfit();
      const naming = countEchoes(echoes, answering, dealHash(suite, header, tag), 'echoed');
      if (naming < echoQuorum(nodes.length, threshold) - 1) throw misfit();
      return { header, tag, roster: readRoster(reader, decoded) };
    });
  }

  async #ask<Answer>(
    groupHex: string,
    wanted: Uint8Array,
    nodes: Iterable<string>,
    read: (reader: Reader) => Answer,
  ): Promise<Answer | undefined> {
    const { bus, logger } = this.#parts;
    const payload = concat(Buffer.from(groupHex, 'hex'), wanted);
    for (const node of nodes) {
      try {
        const reply = await bus.request(node, ROSTER_SUBJECT, payload, { timeoutMs: ROSTER_TIMEOUT_MS });
        const reader = new Reader(reply, 'roster of a deal');
        const answer = read(reader);
        reader.end();
        return answer;
      } catch (error) {
        logger.info({ peer: node, err: error }, 'A node did not give the roster that a deal needs.');
      }
    }
    return undefined;
  }

  /** @param payload group id, then the hash of a deal, or the id of an epoch. @throws GROUP_UNKNOWN */
  async #answer(payload: Uint8Array): Promise<Uint8Array> {
    const { table } = this.#parts;
    const wanted = payload.subarray(SHORT_ID_LENGTH);
    return table.run(hexOf(payload.subarray(0, SHORT_ID_LENGTH)), async (group) => {
      const { pending, inForce } = group.row?.group ?? {};
      if (pending !== undefined && equalConstantTime(pending.dealHash, wanted)) {
        return writeMembers(new Writer(), membersAfter(group.roster, await table.changesOf(group))).finish();
      }
      if (inForce !== undefined && equalConstantTime(inForce.dealHash, wanted)) {
        return writeMembers(new Writer(), [...group.roster.members()]).finish();
      }
      if (inForce !== undefined && equalConstantTime(inForce.epochId, wanted)) {
        const writer = new Writer().bytes(inForce.header).bytes(inForce.tag);
        return writeMembers(writer, [...group.roster.members()]).finish();
      }
      throw new SymmetraError('GROUP_UNKNOWN', 'this node stands by no such deal');
    });
  }
}

function membersAfter(roster: Roster, { vacated, taken }: RosterChanges): readonly Placed[] {
  const members = new Map(Array.from(roster.members(), ({ place, deviceId }) => [place, deviceId]));
  for (const place of vacated) members.delete(place);
  for (const { place, deviceId } of taken) members.set(place, deviceId);
  return Array.from(members, ([place, deviceId]) => ({ place, deviceId })).toSorted(
    (a, b) => a.place - b.place,
  );
}

function writeMembers(writer: Writer, members: readonly Placed[]): Writer {
  return writer.list(members, (w, { place, deviceId }) => void w.u32(place).raw(deviceId));
}

/** @throws BAD_ENCODING, BAD_ROSTER, ROSTER_MISMATCH */
function readRoster(reader: Reader, { members, rosterRoot }: GroupHeader): Roster {
  const placed = reader.list(MAX_MEMBERS, (r) => ({ place: r.u32(), deviceId: r.raw(DEVICE_ID_LENGTH) }));
  if (placed.length !== members) throw misfit();
  const roster = Roster.of(placed);
  if (!equalConstantTime(roster.root(), rosterRoot)) throw misfit();
  return roster;
}

function misfit(): SymmetraError {
  return new SymmetraError('ROSTER_MISMATCH', 'a node gave another roster or epoch than it was asked for');
}
