import { vi } from 'vitest';
import type { Bus } from '@symmetra/bus';
import { decode, encode } from '@symmetra/rpc';
import type { Message, MessageInput, OpenReplyInput } from '@symmetra/rpc';
import type { Clock } from '@symmetra/runtime';
import type * as Network from '../../packages/node/src/network/network-service.js';
import type * as Negotiating from '../../packages/node/src/pairwise/negotiate.js';
import type * as Relaying from '../../packages/node/src/pairwise/relay.js';
import type * as Events from '../../packages/node/src/presence/event-sender.js';
import type * as Routing from '../../packages/node/src/routing/call-router.js';
import type * as Sealing from '../../packages/node/src/session/sealed-calls.js';
import type * as Opening from '../../packages/node/src/session/session-service.js';
import type { DeviceEvent } from '../../packages/node/src/presence/event-sender.js';

type Receipt = Message<'symmetra.pairwise.v1.NegotiateResponse'>;
type ReceiptInput = MessageInput<'symmetra.pairwise.v1.NegotiateResponse'>;
type DescriptorReply = OpenReplyInput<'getDescriptor'>;

/** What a node does otherwise than the protocol asks. What it does not lie about, it does as every node. */
export interface Lies {
  /** What it sends a device instead of an event: nothing, something else, or more. `send` works later too. */
  event?(event: DeviceEvent, deviceHex: string, send: (event: DeviceEvent) => void): void;
  /** What it answers an initiator. */
  receipt?(receipt: Receipt): ReceiptInput;
  /** What it answers whoever asks for the descriptor. */
  descriptor?(reply: DescriptorReply): DescriptorReply;
  /** Whether it answers a sealed call at all. */
  answers?(method: string): boolean;
  /** As home: whether it passes on a call to another node. */
  relays?(node: string): boolean;
  /** As home: whether it passes on an event of another node. It says that it did. */
  passes?(from: string): boolean;
  /** As home: whether it carries a message to a peer. It says that it did. */
  carries?(): boolean;
  /** Milliseconds that its clock is ahead, as it tells devices. */
  aheadMs?(): number;
}

/** The liars of this process, by node id. */
const liars = new Map<string, Lies>();

/** Makes a node lie from now on. */
export function lie(node: string, lies: Lies): void {
  liars.set(node, lies);
}

/** Every node is honest again. */
export function honest(): void {
  liars.clear();
}

const HANDED_OVER = Uint8Array.of(1);
const never = new Promise<never>(() => {
  // It stays silent.
});

// Each part of a node that may lie is built as usual, and asks before it speaks.

vi.mock('../../packages/node/src/presence/event-sender.js', async (original) => {
  const { EventSender } = await original<typeof Events>();
  class LyingEventSender extends EventSender {
    readonly #self: string;

    constructor(parts: ConstructorParameters<typeof EventSender>[0]) {
      super({ ...parts, bus: withholdingBus(parts.bus) });
      this.#self = parts.bus.self;
    }

    override sendHere(deviceHex: string, event: DeviceEvent): boolean {
      const lies = liars.get(this.#self);
      if (lies?.event === undefined) return super.sendHere(deviceHex, event);
      lies.event(event, deviceHex, (other) => void super.sendHere(deviceHex, other));
      return true;
    }
  }
  return { EventSender: LyingEventSender };
});

function withholdingBus(bus: Bus): Bus {
  return {
    self: bus.self,
    instance: bus.instance,
    request: async (...request) => bus.request(...request),
    close: async () => bus.close(),
    serve: (subject, handler) =>
      bus.serve(subject, async (from, payload) =>
        liars.get(bus.self)?.passes?.(from) === false ? HANDED_OVER : handler(from, payload),
      ),
  };
}

vi.mock('../../packages/node/src/pairwise/negotiate.js', async (original) => {
  const { Negotiate } = await original<typeof Negotiating>();
  class LyingNegotiate extends Negotiate {
    readonly #self: string;

    constructor(parts: ConstructorParameters<typeof Negotiate>[0]) {
      super(parts);
      this.#self = parts.state.identity.id;
    }

    override async answer(...call: Parameters<InstanceType<typeof Negotiate>['answer']>) {
      const outcome = await super.answer(...call);
      const lies = liars.get(this.#self);
      if (lies?.receipt === undefined) return outcome;
      const receipt = decode('symmetra.pairwise.v1.NegotiateResponse', outcome.reply);
      return { reply: encode('symmetra.pairwise.v1.NegotiateResponse', lies.receipt(receipt)) };
    }
  }
  return { Negotiate: LyingNegotiate };
});

vi.mock('../../packages/node/src/pairwise/relay.js', async (original) => {
  const { Relay } = await original<typeof Relaying>();
  class LyingRelay extends Relay {
    readonly #self: string;

    constructor(parts: ConstructorParameters<typeof Relay>[0]) {
      super(parts);
      this.#self = parts.bus.self;
    }

    override async answer(...call: Parameters<InstanceType<typeof Relay>['answer']>) {
      if (liars.get(this.#self)?.carries?.() !== false) return super.answer(...call);
      return { reply: encode('symmetra.pairwise.v1.RelayResponse', { handedOver: true }) };
    }
  }
  return { Relay: LyingRelay };
});

vi.mock('../../packages/node/src/network/network-service.js', async (original) => {
  const { NetworkService } = await original<typeof Network>();
  class LyingNetworkService extends NetworkService {
    readonly #self: string;

    constructor(...parts: ConstructorParameters<typeof NetworkService>) {
      super(...parts);
      this.#self = parts[0].identity.id;
    }

    override async descriptor(): Promise<DescriptorReply> {
      const reply = await super.descriptor();
      return liars.get(this.#self)?.descriptor?.(reply) ?? reply;
    }
  }
  return { NetworkService: LyingNetworkService };
});

vi.mock('../../packages/node/src/routing/call-router.js', async (original) => {
  const { CallRouter } = await original<typeof Routing>();
  class LyingCallRouter extends CallRouter {
    readonly #self: string;

    constructor(parts: ConstructorParameters<typeof CallRouter>[0]) {
      super(parts);
      this.#self = parts.bus.self;
    }

    override async sealed(...call: Parameters<InstanceType<typeof CallRouter>['sealed']>) {
      const [, { node }] = call;
      const isElsewhere = node !== '' && node !== this.#self;
      if (isElsewhere && liars.get(this.#self)?.relays?.(node) === false) return never;
      return super.sealed(...call);
    }
  }
  return { CallRouter: LyingCallRouter };
});

vi.mock('../../packages/node/src/session/sealed-calls.js', async (original) => {
  const { SealedCalls } = await original<typeof Sealing>();
  class LyingSealedCalls extends SealedCalls {
    readonly #self: string;

    constructor(parts: ConstructorParameters<typeof SealedCalls>[0]) {
      super(parts);
      this.#self = parts.state.identity.id;
    }

    override async answer(...call: Parameters<InstanceType<typeof SealedCalls>['answer']>) {
      return liars.get(this.#self)?.answers?.(call[0]) === false ? never : super.answer(...call);
    }
  }
  return { SealedCalls: LyingSealedCalls };
});

vi.mock('../../packages/node/src/session/session-service.js', async (original) => {
  const { SessionService } = await original<typeof Opening>();
  class LyingSessionService extends SessionService {
    constructor(parts: ConstructorParameters<typeof SessionService>[0]) {
      super({ ...parts, clock: lyingClock(parts.clock, parts.state.identity.id) });
    }
  }
  return { SessionService: LyingSessionService };
});

function lyingClock(clock: Clock, node: string): Clock {
  return {
    now: () => clock.now() + (liars.get(node)?.aheadMs?.() ?? 0),
    monotonic: () => clock.monotonic(),
    setTimer: (...timer) => clock.setTimer(...timer),
  };
}
