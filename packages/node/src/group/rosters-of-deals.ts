import { Reader, SymmetraError, Writer, concat, equalConstantTime } from '@symmetra/crypto';
import type { Bus } from '@symmetra/bus';
import { DEVICE_ID_LENGTH, MAX_MEMBERS, Roster, SHORT_ID_LENGTH } from '@symmetra/protocol';
import type { GroupEcho, Placed, RosterChanges } from '@symmetra/protocol';
import type { Logger } from '@symmetra/runtime';
import { hexOf } from '../rows/row-keys.js';
import type { GroupTable } from './group-table.js';

const ROSTER_SUBJECT = 'group-roster';
const ROSTER_TIMEOUT_MS = 5000;

export interface RostersOfDealsParts {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly table: GroupTable;
}

/** GRP-4: the whole roster of a deal, from one node that echoes it to another that is behind. */
export class RostersOfDeals {
  readonly #parts: RostersOfDealsParts;

  constructor(parts: RostersOfDealsParts) {
    this.#parts = parts;
    parts.bus.serve(ROSTER_SUBJECT, async (_from, payload) => this.#answer(payload));
  }

  /** The roster from the first node that echoes the deal and has it; undefined when none does. */
  async fetch(
    groupHex: string,
    dealHash: Uint8Array,
    echoes: ReadonlyMap<string, GroupEcho>,
  ): Promise<Roster | undefined> {
    const { bus, logger } = this.#parts;
    const payload = concat(Buffer.from(groupHex, 'hex'), dealHash);
    for (const [node, echo] of echoes) {
      if (!echo.some((said) => equalConstantTime(said.dealHash, dealHash))) continue;
      try {
        const reply = await bus.request(node, ROSTER_SUBJECT, payload, { timeoutMs: ROSTER_TIMEOUT_MS });
        return Roster.of(decodeMembers(reply));
      } catch (error) {
        logger.warn({ peer: node, err: error }, 'A node did not give the roster of a deal that it echoes.');
      }
    }
    return undefined;
  }

  /** @throws GROUP_UNKNOWN when this node stands by no such deal */
  async #answer(payload: Uint8Array): Promise<Uint8Array> {
    const { table } = this.#parts;
    const wanted = payload.subarray(SHORT_ID_LENGTH);
    return table.run(hexOf(payload.subarray(0, SHORT_ID_LENGTH)), async (group) => {
      const { pending, inForce } = group.row?.group ?? {};
      if (pending !== undefined && equalConstantTime(pending.dealHash, wanted)) {
        return encodeMembers(membersAfter(group.roster, await table.changesOf(group)));
      }
      if (inForce !== undefined && equalConstantTime(inForce.dealHash, wanted)) {
        return encodeMembers([...group.roster.members()]);
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

function encodeMembers(members: readonly Placed[]): Uint8Array {
  return new Writer(2 + members.length * (4 + DEVICE_ID_LENGTH))
    .list(members, (writer, { place, deviceId }) => void writer.u32(place).raw(deviceId))
    .finish();
}

/** @throws BAD_ENCODING */
function decodeMembers(bytes: Uint8Array): readonly Placed[] {
  const reader = new Reader(bytes, 'roster of a deal');
  const members = reader.list(MAX_MEMBERS, (r) => ({ place: r.u32(), deviceId: r.raw(DEVICE_ID_LENGTH) }));
  reader.end();
  return members;
}
