import { deepEqual, equal } from 'node:assert/strict';
import type { DeliveryReport, Device, NegotiateOptions } from '@symmetra/sdk';
import { honest, lie } from './lying-node.js';
import type { Lies } from './lying-node.js';
import { Fleet, agree, until } from './sdk-fleet.js';
import type { KeyPair } from './sdk-fleet.js';

export const NODES = ['node-1', 'node-2', 'node-3'] as const;

/** A report as a node's log holds it. */
interface AuditedReport {
  readonly event?: string;
  readonly node?: string;
  readonly device?: string;
  readonly peer?: string;
  readonly accused?: string;
  readonly keyId?: string;
  readonly reason?: string;
  readonly evidence?: string;
}

/** Alice and Bob at three real nodes, and what they report. */
export class LiarsFleet {
  readonly fleet: Fleet;
  readonly alice: Device;
  readonly bob: Device;
  readonly reports = new Map<Device, DeliveryReport[]>();

  private constructor(fleet: Fleet, alice: Device, bob: Device) {
    this.fleet = fleet;
    this.alice = alice;
    this.bob = bob;
    for (const device of [alice, bob]) {
      const own: DeliveryReport[] = [];
      this.reports.set(device, own);
      device.on('report', (report) => own.push(report));
    }
  }

  static async start(): Promise<LiarsFleet> {
    const fleet = await Fleet.start();
    return new LiarsFleet(fleet, await fleet.join('alice'), await fleet.join('bob'));
  }

  async stop(): Promise<void> {
    honest();
    await this.fleet.stop();
  }

  /** A key that Alice and Bob agree on while one node lies. */
  async agreeWhile(node: string, lies: Lies, options: NegotiateOptions = {}): Promise<KeyPair> {
    lie(node, lies);
    const pair = await agree(this.alice, this.bob, options);
    expectSame(pair);
    return pair;
  }

  /** Waits until a device has told its owner, and every honest node's log names liar, dealer and reason. */
  async expectReported(by: Device, { ours }: KeyPair, accused: string, reason: string): Promise<void> {
    const own = (): unknown =>
      this.reports.get(by)?.find((one) => one.keyId === ours.keyId && one.reason === reason);
    await until(() => own() !== undefined, `${reason} of ${accused}`);
    deepEqual(own(), { keyId: ours.keyId, node: accused, initiator: this.alice.id, reason });
    const isAudited = (node: string): boolean =>
      this.audited().some(
        (line) =>
          line.node === node &&
          line.keyId === ours.keyId &&
          line.reason === reason &&
          line.accused === accused &&
          line.device === by.id &&
          line.peer === this.alice.id &&
          /^[0-9a-f]{64}$/.test(line.evidence ?? ''),
      );
    for (const node of NODES.filter((one) => one !== accused)) {
      await until(() => isAudited(node), `${reason} of ${accused} in the log of ${node}`);
    }
  }

  /** Nobody but the liars was named, and with honest nodes everything goes on with all of them. */
  async expectNobodyElseHarmed(...liars: readonly string[]): Promise<void> {
    honest();
    const named = [...this.reports.values()].flat().map(({ node }) => node);
    deepEqual(
      named.filter((node) => !liars.includes(node)),
      [],
    );
    deepEqual(
      this.audited().filter(({ accused = '' }) => !liars.includes(accused)),
      [],
    );
    await until(() => this.alice.status().home !== null && this.bob.status().home !== null, 'a home');
    const after = await agree(this.alice, this.bob, { threshold: 'all' });
    expectSame(after);
    deepEqual(after.ours.nodes.toSorted(), [...NODES]);
    expectSame(await agree(this.bob, this.alice, { threshold: 'all' }));
  }

  audited(): readonly AuditedReport[] {
    return (this.fleet.network.log as readonly AuditedReport[]).filter(({ event }) => event === 'report');
  }
}

/** One key at both ends. */
function expectSame({ ours, theirs }: KeyPair): void {
  deepEqual(ours.bytes(), theirs.bytes());
  equal(ours.fingerprint, theirs.fingerprint);
  deepEqual(ours.nodes, theirs.nodes);
  equal(ours.usesLeft, theirs.usesLeft);
}
