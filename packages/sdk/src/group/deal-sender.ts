import { concat } from '@symmetra/crypto';
import type { Share } from '@symmetra/protocol';
import { Lane } from '../lane.js';
import type { Connection } from '../session/connection.js';
import type { DealRecord } from './deal-record.js';

const STAGE = '/symmetra.group.v1.GroupService/Stage';
const DEAL = '/symmetra.group.v1.GroupService/Deal';
/** Most device ids of a deal that is not staged, and of one staged part. */
const MAX_UNSTAGED = 512;
const MAX_PART = 1000;
const NOTHING = new Uint8Array(0);

/** GRP-3: takes a deal to one node, the same bytes each time. */
export class DealSender {
  readonly #connection: () => Pick<Connection, 'call'>;
  /** A node keeps one staged roster of this device at a time. */
  readonly #staging = new Map<string, Lane>();

  constructor(connection: () => Pick<Connection, 'call'>) {
    this.#connection = connection;
  }

  /** @returns whether the epoch is in force there @throws what the node refuses it for, what did not get through */
  async send(nodeId: string, deal: DealRecord): Promise<boolean> {
    if (deal.added.length <= MAX_UNSTAGED) return this.#deal(nodeId, deal, 0);
    return this.#laneOf(nodeId).run(async () => {
      const { groupId, epoch, added } = deal;
      for (let offset = 0; offset < added.length; offset += MAX_PART) {
        const members = concat(...added.slice(offset, offset + MAX_PART));
        await this.#connection().call(nodeId, STAGE, { groupId, epoch, offset, members });
      }
      return this.#deal(nodeId, deal, added.length);
    });
  }

  async #deal(nodeId: string, deal: DealRecord, staged: number): Promise<boolean> {
    const { header, tag, removed, added, shares, nodes } = deal;
    const { inForce } = await this.#connection().call(nodeId, DEAL, {
      header,
      tag,
      share: (shares[nodes.indexOf(nodeId)] as Share).bytes,
      removed: concat(...removed),
      added: staged === 0 ? concat(...added) : NOTHING,
      staged,
    });
    return inForce;
  }

  #laneOf(nodeId: string): Lane {
    const lane = this.#staging.get(nodeId) ?? new Lane();
    this.#staging.set(nodeId, lane);
    return lane;
  }
}
