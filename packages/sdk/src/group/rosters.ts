import { SymmetraError, equalConstantTime, toHex } from '@symmetra/crypto';
import { MAX_MEMBERS, Roster } from '@symmetra/protocol';
import type { Placed } from '@symmetra/protocol';
import type { Message } from '@symmetra/rpc';
import { mostTelling } from '../failure.js';
import type { Connection } from '../session/connection.js';
import type { GroupBase } from './group-base.js';

const GET_ROSTER = '/symmetra.group.v1.GroupService/GetRoster';

/** A page that is not the last one has 1000 members; fewer would keep a dealer busy for long. */
const MAX_PAGES = Math.ceil(MAX_MEMBERS / 1000);

type Page = Message<'symmetra.group.v1.GetRosterResponse'>;

/** Who stands where in the groups that this device manages: read from a node when it is needed, then kept. */
export class Rosters {
  readonly #connection: () => Pick<Connection, 'call'>;
  readonly #kept = new Map<string, Roster>();

  constructor(connection: () => Pick<Connection, 'call'>) {
    this.#connection = connection;
  }

  /** The roster of an epoch; whatever node it comes from, it has the root that the header names. @throws ROSTER_MISMATCH */
  async of({ header, epochId }: GroupBase): Promise<Roster> {
    const groupId = toHex(header.groupId);
    const kept = this.#kept.get(groupId);
    if (kept !== undefined && equalConstantTime(kept.root(), header.rosterRoot)) return kept;
    const failures: unknown[] = [];
    for (const nodeId of header.nodes) {
      try {
        const roster = await this.#fetch(nodeId, header.groupId, epochId);
        if (!equalConstantTime(roster.root(), header.rosterRoot)) {
          throw new SymmetraError('ROSTER_MISMATCH', "a node's roster is not that of the epoch", {
            node: nodeId,
          });
        }
        this.#kept.set(groupId, roster);
        return roster;
      } catch (error) {
        failures.push(error);
      }
    }
    throw mostTelling(failures);
  }

  /** Keeps the roster of an epoch that came into force. */
  keep(groupId: string, roster: Roster): void {
    this.#kept.set(groupId, roster);
  }

  forget(groupId: string): void {
    this.#kept.delete(groupId);
  }

  async #fetch(nodeId: string, groupId: Uint8Array, epochId: Uint8Array): Promise<Roster> {
    const members: Placed[] = [];
    for (let from = 0, pages = 1; ; pages++) {
      const page: Page = await this.#connection().call(nodeId, GET_ROSTER, { groupId, from });
      if (!equalConstantTime(page.epochId, epochId)) {
        throw new SymmetraError('GROUP_BEHIND', 'the node is in another epoch of the group', {
          node: nodeId,
        });
      }
      for (const { place, device } of page.entries) {
        members.push({ place, deviceId: Uint8Array.from(device) });
      }
      if (page.next === 0) return Roster.of(members);
      if (page.next <= from || pages === MAX_PAGES || members.length > MAX_MEMBERS) {
        throw new SymmetraError('BAD_MESSAGE', 'a roster does not end', { node: nodeId });
      }
      from = page.next;
    }
  }
}
