import { setTimeout as sleep } from 'node:timers/promises';
import { SymmetraError, fromBase32, toBase32, toHex } from '@symmetra/crypto';
import { DEFAULT_POLICY, eventHash } from '@symmetra/protocol';
import type { ControlBody, LogHead, Policy } from '@symmetra/protocol';
import type { Cluster } from '@symmetra/testing';
import type { AcceptedEvent, ControlHistory, Standing } from './cluster-history.js';

const ATTEMPTS = 200;
const PAUSE_MS = 100;
const PAGE = 100;

/** Devices have a stage more to reach than by default. */
export const CLUSTER_POLICY: Policy = {
  ...DEFAULT_POLICY,
  stages: [...DEFAULT_POLICY.stages, 'service'],
  keyStages: [...DEFAULT_POLICY.keyStages, 'service'],
};

/**
 * The one administrator of a cluster whose parts fail. An event is signed once; the same bytes go to one node after the
 * other until enough nodes have them in force.
 */
export class ClusterControl {
  readonly #cluster: Cluster;
  readonly #history: ControlHistory;
  #head: LogHead | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(cluster: Cluster, history: ControlHistory) {
    this.#cluster = cluster;
    this.#history = history;
  }

  /**
   * Has an event in force at so many nodes that the others can not make a key without them.
   * @param nodes those that are asked, one after the other; all when left out
   * @param wanted how many must have it in force
   */
  async submit(
    body: ControlBody,
    nodes: readonly string[] = this.#cluster.nodeIds,
    wanted = this.#cluster.shape.nodes - this.#cluster.shape.threshold + 1,
  ): Promise<AcceptedEvent> {
    const submitted = this.#last.then(async () => this.#submit(body, nodes, wanted));
    this.#last = submitted.catch(() => undefined);
    return submitted;
  }

  /** A token that the nodes know. */
  async token(uses = 1): Promise<string> {
    const { text, body } = this.#cluster.administrator.issueToken({ uses });
    await this.submit(body);
    return text;
  }

  async revoke(deviceId: string): Promise<AcceptedEvent> {
    return this.submit({ kind: 'device-revoke', deviceId: fromBase32(deviceId), reason: 'reported lost' });
  }

  /** Lets another administrator append meanwhile, and goes on behind what that one did. */
  async besides<T>(run: () => Promise<T>): Promise<T> {
    const ran = this.#last.then(run).finally(() => {
      this.#head = undefined;
    });
    this.#last = ran.catch(() => undefined);
    return ran;
  }

  /** Writes down what each node's log holds and how it sees the devices. */
  async look(names: ReadonlyMap<string, string>): Promise<void> {
    for (const node of this.#cluster.nodeIds) {
      this.#history.note(node, { kind: 'log', node, events: await this.#eventsOf(node) });
      await this.lookAt(node, names);
    }
  }

  /** Writes down how a node sees the devices. */
  async lookAt(node: string, names: ReadonlyMap<string, string>): Promise<void> {
    const { administrator } = this.#cluster;
    const { devices } = await administrator.call(node, '/symmetra.admin.v1.AdminService/ListDevices', {});
    const standings = devices.map(({ deviceId, stage, epoch, revoked }): [string, Standing] => {
      const id = toBase32(deviceId);
      return [names.get(id) ?? id, { stage, epoch, revoked }];
    });
    this.#history.note(node, { kind: 'standings', node, devices: Object.fromEntries(standings) });
  }

  async #eventsOf(node: string): Promise<readonly string[]> {
    const { administrator } = this.#cluster;
    const all: string[] = [];
    for (;;) {
      const { events } = await administrator.call(node, '/symmetra.admin.v1.AdminService/ListEvents', {
        from: all.length + 1,
        limit: PAGE,
      });
      all.push(...events.map(({ event }) => toHex(event)));
      if (events.length < PAGE) return all;
    }
  }

  async #newestHead(): Promise<LogHead> {
    const { administrator, nodeIds } = this.#cluster;
    const looks = await Promise.allSettled(nodeIds.map(async (node) => administrator.head(node)));
    const heads = looks.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []));
    const [newest] = heads.toSorted((a, b) => b.number - a.number);
    if (newest === undefined) throw new Error('no node tells its head');
    return newest;
  }

  async #submit(body: ControlBody, nodes: readonly string[], wanted: number): Promise<AcceptedEvent> {
    const { administrator } = this.#cluster;
    this.#head ??= await this.#newestHead();
    const signed = administrator.sign(body, this.#head);
    const number = this.#head.number + 1;
    const event = { event: signed.event, signatures: [...signed.signatures] };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const node = nodes[attempt % nodes.length] ?? '';
      try {
        const { receipts } = await administrator.call(node, '/symmetra.admin.v1.AdminService/Submit', {
          event,
        });
        const applied = receipts.filter((receipt) => receipt.applied).map((receipt) => receipt.node);
        if (applied.length >= wanted) {
          const accepted = { number, event: toHex(signed.event), applied };
          this.#head = { number, hash: eventHash(signed.event) };
          this.#history.note(node, { kind: 'event', ...accepted });
          return accepted;
        }
        const codes = receipts.filter((receipt) => !receipt.applied).map(({ code }) => code);
        this.#history.note(node, { kind: 'not-taken', number, node, code: codes.join(' ') });
      } catch (error) {
        if (!(error instanceof SymmetraError)) throw error;
        this.#history.note(node, { kind: 'not-taken', number, node, code: error.code });
      }
      await sleep(PAUSE_MS);
    }
    throw new Error(`event ${number} was never accepted`);
  }
}
