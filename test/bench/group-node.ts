import type { InProcessNetwork } from '@symmetra/bus';
import { Secret, suites } from '@symmetra/crypto';
import { osRandomness } from '@symmetra/entropy/device';
import { loadIdentity } from '@symmetra/node';
import type { NodeIdentity } from '@symmetra/node';
import { DEFAULT_POLICY, EMPTY_LOG, SessionEnd } from '@symmetra/protocol';
import type { Descriptor, SignedDescriptor } from '@symmetra/protocol';
import type { LinkEvent, LinkStream, Message, MessageInput, SealedMethod } from '@symmetra/rpc';
import { createLogger } from '@symmetra/runtime';
import { openLmdbStore, sealStore } from '@symmetra/storage';
import type { MasterKey, Store } from '@symmetra/storage';
import { AuditLog } from '../../packages/node/src/audit/audit-log.js';
import { ControlState } from '../../packages/node/src/control/control-state.js';
import { DeviceRegistry } from '../../packages/node/src/devices/device-registry.js';
import { assembleGroups } from '../../packages/node/src/group/groups.js';
import { LinkTable } from '../../packages/node/src/link/link-table.js';
import { EventSender } from '../../packages/node/src/presence/event-sender.js';
import { Presences } from '../../packages/node/src/presence/presences.js';
import { Session, SessionTable } from '../../packages/node/src/presence/session-table.js';
import { Siblings } from '../../packages/node/src/replicas/siblings.js';
import { SealedCalls } from '../../packages/node/src/session/sealed-calls.js';
import type { SealedHandler } from '../../packages/node/src/session/sealed-handler.js';
import { StillClock } from './still-clock.js';

const SESSION_MS = 3_600_000;
const MAX_MESSAGES = 2 ** 32;
const { bytes: random } = osRandomness();

/** The end of a device's link. */
export interface GroupLink {
  event(event: LinkEvent): void;
  frame(frame: Uint8Array): void;
}

type Sealed = Message<'symmetra.sealed.v1.Sealed'>;
type SealedReply = MessageInput<'symmetra.sealed.v1.Sealed'>;

/**
 * The group code of one node, as the node assembles it, over a sealed LMDB store: sealed calls, sessions and events are the
 * node's own; enrolment and gRPC are left out.
 */
export class GroupNode {
  readonly id: string;
  readonly identity: NodeIdentity;
  readonly clock = new StillClock();
  readonly #store: Store;
  readonly #sessions: SessionTable;
  readonly #links = new LinkTable();
  #devices: DeviceRegistry | undefined;
  #calls: SealedCalls | undefined;
  #presences: Presences | undefined;
  #groups: ReturnType<typeof assembleGroups> | undefined;

  private constructor(store: Store, identity: NodeIdentity) {
    this.id = identity.id;
    this.identity = identity;
    this.#store = store;
    this.#sessions = new SessionTable(
      () => this.clock.monotonic(),
      (session) => this.#presences?.forget(session),
    );
  }

  static async open(folder: string, id: string): Promise<GroupNode> {
    const masterKey: MasterKey = Secret.of('masterKey', random(32));
    const store = sealStore(await openLmdbStore(folder), masterKey, random);
    return new GroupNode(store, await loadIdentity(store, id, random));
  }

  /** Puts the node together, once all nodes and so the descriptor are known. */
  begin(wire: InProcessNetwork, signed: SignedDescriptor, descriptor: Descriptor): void {
    const bus = wire.join(this.id);
    const logger = createLogger({ level: 'silent', clock: this.clock });
    const state = new ControlState(this.identity, signed, descriptor, suites);
    const { networkId } = descriptor;
    const policy = { kind: 'policy', policy: DEFAULT_POLICY } as const;
    const event = {
      networkId,
      number: 1,
      previousHash: EMPTY_LOG.hash,
      timeMs: this.clock.now(),
      body: policy,
    };
    state.advance(event, { number: 1, hash: EMPTY_LOG.hash });
    const { clock } = this;
    const store = this.#store;
    const siblings = new Siblings({ bus, clock, logger, store, isShared: false });
    const { self, instance } = bus;
    const presences = new Presences({ store, clock, logger, self, instance, isShared: false });
    this.#presences = presences;
    const around = { bus, logger, sessions: this.#sessions, presences, links: this.#links, siblings };
    this.#devices = new DeviceRegistry(store, state, false);
    this.#groups = assembleGroups({
      ...around,
      clock,
      randomness: osRandomness(),
      store,
      state,
      freshness: { isFresh: true, ensure: async () => undefined, whenFresh: (_name, task) => task() },
      devices: this.#devices,
      events: new EventSender({ ...around, clock }),
    });
    const audit = new AuditLog(logger);
    const handlers = this.#groups.handlers as Record<SealedMethod, SealedHandler>;
    this.#calls = new SealedCalls({ state, sessions: this.#sessions, audit, logger, handlers });
  }

  /** A device that is enrolled, has a session, and is attached with a home. @returns the device's end of the session */
  attach(
    context: ConstructorParameters<typeof SessionEnd>[0],
    deviceId: Uint8Array,
    home: string,
    link: GroupLink | undefined,
  ): SessionEnd {
    const [up, down, sessionId] = [random(32), random(32), random(16)];
    const suite = context.suites.get(1);
    const end = (own: 'device' | 'node', send: Uint8Array, receive: Uint8Array): SessionEnd =>
      new SessionEnd(context, {
        end: own,
        suite,
        sessionId,
        sendKey: Secret.of('DirectionKey', send.slice()),
        receiveKey: Secret.of('DirectionKey', receive.slice()),
        maxMessages: MAX_MESSAGES,
      });
    const session = new Session(
      end('node', down, up),
      deviceId,
      suite.id,
      this.clock.monotonic() + 24 * SESSION_MS,
    );
    this.#sessions.add(session);
    void this.#presences?.attach({ session, home, linkAt: undefined, addresses: [] });
    this.#devices?.noteStage(session.deviceHex, 'production');
    if (link !== undefined) this.#links.bind(session.deviceHex, streamTo(link));
    return end('device', up, down);
  }

  async call(method: SealedMethod, request: Sealed): Promise<SealedReply> {
    if (this.#calls === undefined) throw new Error('begin first');
    return this.#calls.answer(method, request);
  }

  async end(): Promise<void> {
    await this.#groups?.stop();
    await this.#store.close();
  }
}

function streamTo(link: GroupLink): LinkStream {
  return {
    peer: 'bench',
    onFrame: () => undefined,
    onClose: () => undefined,
    sendReply: () => true,
    sendEvent: (event) => {
      link.event(event);
      return true;
    },
    sendEncoded: (frame) => {
      link.frame(frame);
      return true;
    },
    close: () => undefined,
  };
}
