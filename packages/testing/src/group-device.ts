import { toHex } from '@symmetra/crypto';
import {
  newMember,
  readBroadcast,
  readWelcome,
  receiveDue,
  receiveEpochBroadcast,
  receiveWelcome,
} from '@symmetra/protocol';
import type {
  EpochBroadcast,
  GroupDue,
  HeldEpoch,
  MemberGroup,
  MemberOutput,
  MemberStep,
} from '@symmetra/protocol';
import type { Message } from '@symmetra/rpc';
import type { LinkFrame } from './device-link.js';
import type { ReceivedEvent, TestDevice } from './device.js';
import type { TestDeal } from './test-group.js';

const DEAL = '/symmetra.group.v1.GroupService/Deal';
const STAGE = '/symmetra.group.v1.GroupService/Stage';
const CONFIRM = '/symmetra.group.v1.GroupService/Confirm';
const WAIT_MS = 20_000;
const MAX_NAMED = 512;
const PART = 1000;

type Welcome = Message<'symmetra.group.v1.Welcome'>;

/** A member of groups, made of the pure core alone: it confirms what it holds, and loses what a test has it lose. */
export class GroupDevice {
  readonly device: TestDevice;
  readonly groups = new Map<string, MemberGroup>();
  /** What came of each step, by group. */
  readonly outputs: { readonly groupHex: string; readonly output: MemberOutput }[] = [];
  readonly broadcasts: (EpochBroadcast | GroupDue)[] = [];
  readonly messages: Uint8Array[] = [];
  /** Codes of what was refused. */
  readonly refusals: string[] = [];
  /** What of the broadcasts is lost on the way. */
  loses: (broadcast: EpochBroadcast | GroupDue) => boolean = () => false;
  confirms = true;

  constructor(device: TestDevice) {
    this.device = device;
    device.onEvent = (event) => this.#takeEvent(event);
    device.onFrame = (frame) => this.#takeFrame(frame);
  }

  /** GRP-3: brings a deal to one node, staged before when it is long. */
  async send(nodeId: string, deal: TestDeal): Promise<Message<'symmetra.group.v1.DealResponse'>> {
    const { header, tag, request, removed, added } = deal;
    const isStaged = added.length > MAX_NAMED;
    if (isStaged) await this.#stage(nodeId, deal);
    return this.device.call(nodeId, DEAL, {
      header,
      tag,
      share: deal.shares[request.nodes.indexOf(nodeId)]?.bytes ?? new Uint8Array(0),
      removed: Buffer.concat(removed),
      added: isStaged ? new Uint8Array(0) : Buffer.concat(added),
      staged: isStaged ? added.length : 0,
    });
  }

  /** {@link GroupDevice.send} to all nodes, or some. */
  async sendAll(deal: TestDeal, nodes = this.device.nodeIds): Promise<void> {
    await Promise.all(nodes.map(async (nodeId) => this.send(nodeId, deal)));
  }

  /** The link breaks; sessions last. */
  unplug(): void {
    this.device.link?.close();
    this.device.link = undefined;
  }

  /** The epoch, once this member holds it. */
  async held({ epochId }: { readonly epochId: Uint8Array }): Promise<HeldEpoch> {
    const hex = toHex(epochId);
    return this.until(`epoch ${hex}`, () =>
      [...this.groups.values()].flatMap(({ epochs }) => epochs).find((epoch) => toHex(epoch.epochId) === hex),
    );
  }

  /** The first broadcast that passes. */
  async told<Kind extends 'epoch' | 'due'>(
    kind: Kind,
    passes: (broadcast: Extract<EpochBroadcast | GroupDue, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<EpochBroadcast | GroupDue, { kind: Kind }>> {
    type Wanted = Extract<EpochBroadcast | GroupDue, { kind: Kind }>;
    return this.until(`${kind} broadcast`, () =>
      this.broadcasts.find((one): one is Wanted => one.kind === kind && passes(one as Wanted)),
    );
  }

  /** Waits for something, at most 20 seconds. */
  async until<Thing>(what: string, find: () => Thing | undefined): Promise<Thing> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`${what} did not come`);
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  }

  async #stage(nodeId: string, { request, added }: TestDeal): Promise<void> {
    const { groupId, epoch } = request;
    for (let offset = 0; offset < added.length; offset += PART) {
      const members = Buffer.concat(added.slice(offset, offset + PART));
      await this.device.call(nodeId, STAGE, { groupId, epoch, offset, members });
    }
  }

  #takeEvent({ node, groupWelcome }: ReceivedEvent): void {
    if (groupWelcome) this.#step(() => this.#welcome(node, groupWelcome));
  }

  #welcome(node: string, welcome: Welcome): MemberStep {
    const read = readWelcome(this.device.context, this.#floors, node, {
      header: Uint8Array.from(welcome.header),
      tag: Uint8Array.from(welcome.tag),
      share: Uint8Array.from(welcome.share),
      place: welcome.place,
      step: welcome.step,
      pathKeys: Uint8Array.from(welcome.pathKeys),
    });
    const { groupId } = read.dealt.header;
    const state = this.groups.get(toHex(groupId)) ?? newMember(groupId, this.device.deviceId);
    return receiveWelcome(this.device.context, state, read, Date.now());
  }

  #takeFrame({ broadcasts, groupMessages }: LinkFrame): void {
    for (const message of groupMessages) this.messages.push(Uint8Array.from(message));
    for (const { content, signature } of broadcasts) {
      const { context, descriptor } = this.device;
      const read = readBroadcast(context, descriptor, Uint8Array.from(content), Uint8Array.from(signature));
      if (this.loses(read)) continue;
      this.broadcasts.push(read);
      this.#step(() => this.#broadcast(read));
    }
  }

  #broadcast(read: EpochBroadcast | GroupDue): MemberStep | undefined {
    const groupId = read.kind === 'epoch' ? read.header.groupId : read.groupId;
    const state = this.groups.get(toHex(groupId));
    if (state === undefined) return undefined;
    const now = Date.now();
    return read.kind === 'epoch'
      ? receiveEpochBroadcast(this.device.context, this.#floors, state, read, now)
      : receiveDue(state, read, now);
  }

  #step(take: () => MemberStep | undefined): void {
    try {
      const step = take();
      if (step === undefined) return;
      const { state, output, consumed } = step;
      const groupHex = toHex(state.groupId);
      this.groups.set(groupHex, state);
      for (const secret of consumed) secret.wipe();
      this.outputs.push({ groupHex, output });
      if (output.kind === 'out') this.groups.delete(groupHex);
      const epochId =
        output.kind === 'epoch' ? output.epoch.epochId : output.kind === 'held' ? output.epochId : undefined;
      if (epochId !== undefined && this.confirms && 'confirmTo' in output) {
        void this.#confirm(state.groupId, epochId, output.confirmTo);
      }
    } catch (error) {
      this.refusals.push((error as { code?: string }).code ?? String(error));
    }
  }

  async #confirm(groupId: Uint8Array, epochId: Uint8Array, nodes: readonly string[]): Promise<void> {
    for (const nodeId of nodes) {
      // A node that is down hears of it when the device attaches again.
      await this.device.call(nodeId, CONFIRM, { groupId, epochId }).catch(() => undefined);
    }
  }

  get #floors() {
    const { nodes, threshold, suites } = this.device.descriptor;
    return {
      nodes: nodes.map(({ id }) => id),
      minimumNodes: nodes.length,
      minimumThreshold: threshold,
      allowedSuites: suites,
    };
  }
}
