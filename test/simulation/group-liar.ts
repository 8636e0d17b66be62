import type { EchoedDeal, GroupEcho, WelcomeFields } from '@symmetra/protocol';
import type { SimulatedProcess } from '@symmetra/testing';
import type { GroupMalice } from './group-plan.js';
import type { SignedBroadcast } from './group-wire.js';

/** What a node does differently when it lies; what it does not touch passes through. */
export class GroupLiar {
  readonly malice: GroupMalice | undefined;
  readonly #process: SimulatedProcess;
  readonly #broadcasts: SignedBroadcast[] = [];
  readonly #deals: EchoedDeal[] = [];

  constructor(malice: GroupMalice | undefined, process: SimulatedProcess) {
    this.malice = malice;
    this.#process = process;
  }

  get isSilent(): boolean {
    return this.malice === 'silent';
  }

  share(share: Uint8Array): Uint8Array {
    return this.malice === 'bad share' ? this.#process.random(share.length) : share;
  }

  header(header: Uint8Array): Uint8Array {
    if (this.malice !== 'other header') return header;
    const raised = header.slice();
    raised[raised.length - 1] = (raised[raised.length - 1] as number) ^ 2;
    return raised;
  }

  welcome(fields: WelcomeFields): WelcomeFields {
    const pathKeys =
      this.malice === 'wrong keys' ? this.#process.random(fields.pathKeys.length) : fields.pathKeys;
    return { ...fields, header: this.header(fields.header), share: this.share(fields.share), pathKeys };
  }

  /** Takes note of every deal that comes in, approved or not. */
  dealt(deal: EchoedDeal): void {
    if (this.malice === 'two echoes') this.#deals.push(deal);
  }

  /** To every other node another of two deals of one epoch. */
  echo(echo: GroupEcho, to: number): GroupEcho {
    const newest = Math.max(...this.#deals.map(({ epoch }) => epoch));
    const rivals = this.#deals.filter(({ epoch }) => epoch === newest);
    const chosen = rivals[to % Math.max(1, rivals.length)];
    return chosen === undefined ? echo : [chosen];
  }

  /** Something that a node signed long ago. */
  replay(heard: SignedBroadcast): SignedBroadcast | undefined {
    if (this.malice !== 'old broadcasts') return undefined;
    this.#broadcasts.push(heard);
    return this.#broadcasts[(this.#process.random(1)[0] as number) % this.#broadcasts.length];
  }
}
