import type { Bus, BusHandler } from '@symmetra/bus';
import { Secret, SymmetraError, suites } from '@symmetra/crypto';
import {
  deviceIdOf,
  encodeDeviceFacts,
  encodeIntroductionPart,
  introductionRequests,
  nodeTokenSecret,
  encodeState,
  receiveAnswer,
  startEnrolment,
  startIntroduction,
} from '@symmetra/protocol';
import type { Descriptor, EnrolmentConfirming, Introducing } from '@symmetra/protocol';
import { openMemoryStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { ManualClock, Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import type { AuditLog } from '../../packages/node/src/audit/audit-log.js';
import type { ControlState } from '../../packages/node/src/control/control-state.js';
import { DeviceRegistry } from '../../packages/node/src/devices/device-registry.js';
import { EnrolmentService } from '../../packages/node/src/enrolment/enrolment-service.js';
import { Introductions } from '../../packages/node/src/enrolment/introductions.js';
import { TokenRows } from '../../packages/node/src/enrolment/token-rows.js';
import {
  INTRODUCED_ROWS,
  hexOf,
  introducedRow,
  introductionRow,
  tokenRow,
} from '../../packages/node/src/rows/row-keys.js';
import { sweptTables } from '../../packages/node/src/shares/swept-tables.js';
import type { SweptTablesParts } from '../../packages/node/src/shares/swept-tables.js';
import {
  AMSTERDAM,
  CONTEXT,
  NETWORK_ID,
  TOKEN_ID,
  enrolmentRules,
  enrolmentStart,
  freshRecord,
  kemRandom,
  tokenSecret,
} from './protocol-world.js';

/*
 * ENR-11, ENR-12: what happens at a node that is new while nothing waits for anything else: parts at once, two processes of
 * the node, late confirmations.
 */
const MINUTE_MS = 60_000;
const OLD = ['bern', 'cairo', 'delhi'];
const SUITE = suites.get(1);
const prng = new Prng('introductions at a node');
const NONCE = prng.bytes(32);
const DEVICE = deviceIdOf(TOKEN_ID, NONCE);

const DESCRIPTOR: Descriptor = {
  networkId: NETWORK_ID,
  version: 4,
  nodes: [AMSTERDAM.nodeId, ...OLD].map((id) => ({
    id,
    addresses: [],
    kemKeys: [],
    signingKey: new Uint8Array(0),
    operator: '',
  })),
  suites: [1],
  threshold: 2,
  administrators: [],
  administratorThreshold: 1,
};

/** One process of the new node. */
interface Process {
  readonly introductions: Introductions;
  readonly service: EnrolmentService;
  part(introducing: Introducing, from: string, account?: string): Promise<string>;
}

/** Holds a store back before it reads a key for the nth time. */
interface Hold {
  readonly key: string;
  readonly nth: number;
  readonly reached: () => void;
  readonly until: Promise<void>;
}

class NewNode {
  readonly clock = new ManualClock();
  readonly store = openMemoryStore();
  readonly told: unknown[] = [];
  readonly #state = {
    identity: { id: AMSTERDAM.nodeId, keyHash: AMSTERDAM.keyHash },
    descriptor: DESCRIPTOR,
    context: CONTEXT,
    isDeviceRevoked: () => false,
    enrolmentNode: { ...enrolmentRules(AMSTERDAM), reservationMs: 10 * MINUTE_MS },
  } as unknown as ControlState;

  /** @param hold makes this process slow at one point */
  process(hold?: Hold): Process {
    const { clock } = this;
    const state = this.#state;
    const store = hold === undefined ? this.store : slow(this.store, hold);
    const tokens = new TokenRows(store, clock);
    const devices = new DeviceRegistry(store, state, true);
    const audit = {
      introduced: () => undefined,
      tokenContested: () => undefined,
      introductionDiffers: (fields: unknown) => this.told.push(fields),
    } as unknown as AuditLog;
    let handler: BusHandler | undefined;
    const bus = { serve: (_: string, given: BusHandler) => void (handler = given) } as unknown as Bus;
    const random = (length: number): Uint8Array => prng.bytes(length);
    const introductions = new Introductions({ bus, clock, store, state, devices, tokens, audit });
    introductions.serve();
    return {
      introductions,
      service: new EnrolmentService({ clock, random, state, tokens, devices, audit }),
      part: async (introducing, from, account = 'household') => {
        const share = introductionRequests(introducing).find(({ nodeId }) => nodeId === from)?.share;
        const part = encodeIntroductionPart({
          header: introducing.header,
          share: Secret.of('Share', (share ?? prng.bytes(32)).slice()),
          facts: encodeDeviceFacts({ account, name: 'lamp', tags: [] }),
        });
        return codeOf(async () => handler?.(from, part));
      },
    };
  }

  async sweep(): Promise<void> {
    const { clock, store } = this;
    const tables = sweptTables({ clock, store } as unknown as SweptTablesParts);
    const table = tables.find(({ prefix }) => prefix === INTRODUCED_ROWS);
    for (const { key, row } of await store.scan(INTRODUCED_ROWS)) await table?.visit(key, row);
  }
}

function slow(store: Store, { key, nth, reached, until }: Hold): Store {
  let reads = 0;
  return {
    async get(name) {
      if (name === key && ++reads === nth) {
        reached();
        await until;
      }
      return store.get(name);
    },
    commit: async (changes) => store.commit(changes),
    scan: async (prefix, options) => store.scan(prefix, options),
    close: async () => store.close(),
  };
}

async function codeOf(action: () => Promise<unknown>): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return 'done';
}

function introduce(tokenId = TOKEN_ID, enrolmentNonce = NONCE): Introducing {
  const start = {
    tokenId,
    enrolmentNonce,
    nodeId: AMSTERDAM.nodeId,
    nodeKeyHash: AMSTERDAM.keyHash,
    descriptorVersion: 4,
    threshold: 2,
    nodes: OLD,
  };
  return startIntroduction(CONTEXT, start, { secret: prng.bytes(32), coefficients: prng.bytes(32) }).state;
}

/** ENR-2. */
function offered({ token }: Pick<Introducing, 'token'>) {
  const start = { ...enrolmentStart(AMSTERDAM, SUITE, 'lamp'), enrolmentNonce: NONCE, token: token.clone() };
  return startEnrolment(CONTEXT, start, kemRandom(SUITE, 'lamp'));
}

/** ENR-2 to ENR-5: the device has its answer. */
async function answered(
  { service }: Process,
  introducing: Pick<Introducing, 'token'>,
): Promise<EnrolmentConfirming> {
  const { state, output } = offered(introducing);
  const { answer } = await service.offer(output);
  if (!(answer instanceof Uint8Array)) throw new Error('the node answers with bytes');
  return receiveAnswer(CONTEXT, state, answer).state;
}

/** Something to wait for. */
function gate() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('a device that comes late', () => {
  test('ENR-12: confirms as long as its reservation lives, also when the ten minutes of its introduction are over', async () => {
    const node = new NewNode();
    const process = node.process();
    const introducing = introduce();
    await process.part(introducing, 'bern');
    await process.part(introducing, 'cairo');
    node.clock.advance(9 * MINUTE_MS);
    const { offer, confirmation } = await answered(process, introducing);
    node.clock.advance(9 * MINUTE_MS);
    await node.sweep();
    expect(await codeOf(async () => process.service.offer(offer))).toBe('done');
    expect(await codeOf(async () => process.service.confirm(confirmation))).toBe('done');
    node.clock.advance(9 * MINUTE_MS);
    await node.sweep();
    expect(await codeOf(async () => process.service.confirm(confirmation))).toBe('done');
  });

  test('ENR-12: is introduced by the same calls again when that is over too, and its offer is answered anew', async () => {
    const node = new NewNode();
    const process = node.process();
    const introducing = introduce();
    await process.part(introducing, 'bern');
    await process.part(introducing, 'cairo');
    const { offer, confirmation } = await answered(process, introducing);
    node.clock.advance(10 * MINUTE_MS);
    await node.sweep();
    expect(await codeOf(async () => process.service.confirm(confirmation))).toBe('TOKEN_UNKNOWN');
    await process.part(introducing, 'bern');
    await process.part(introducing, 'delhi');
    expect(await codeOf(async () => process.service.confirm(confirmation))).toBe('RESERVATION_UNKNOWN');
    expect(await codeOf(async () => process.service.offer(offer))).toBe('done');
  });

  test("ENR-12: an introduction that is over does not hide the device's ordinary token", async () => {
    const node = new NewNode();
    const process = node.process();
    const record = { ...freshRecord(AMSTERDAM), expiresMs: node.clock.now() + 60 * MINUTE_MS };
    await node.store.commit([{ key: tokenRow(TOKEN_ID), value: encodeState({ record, tags: [] }) }]);
    const introducing = introduce();
    await process.part(introducing, 'bern');
    await process.part(introducing, 'cairo');
    const token = nodeTokenSecret(NETWORK_ID, tokenSecret(), AMSTERDAM.nodeId, AMSTERDAM.keyHash);
    const { output } = offered({ token });
    expect(await codeOf(async () => process.service.offer(output))).toBe('AUTHENTICATION_FAILED');
    node.clock.advance(10 * MINUTE_MS);
    const { confirmation } = await answered(process, { token });
    expect(await codeOf(async () => process.service.confirm(confirmation))).toBe('done');
  });
});

describe('two processes of the new node', () => {
  test('ENR-12: a part that one of them is slow with takes nothing from a device that enrolled meanwhile', async () => {
    for (let nth = 1; nth <= 3; nth++) {
      const node = new NewNode();
      const reached = gate();
      const released = gate();
      const hold = { key: introducedRow(DEVICE), nth, reached: reached.open, until: released.opened };
      const [quick, late] = [node.process(), node.process(hold)];
      const introducing = introduce();
      await quick.part(introducing, 'bern');
      const third = late.part(introducing, 'delhi');
      await Promise.race([reached.opened, third]);
      await quick.part(introducing, 'cairo');
      const { confirmation } = await answered(quick, introducing);
      const { acknowledgement } = await quick.service.confirm(confirmation);
      released.open();
      expect(await third).toBe('done');
      const repeated = await quick.service.confirm(confirmation);
      expect(repeated.acknowledgement).toEqual(acknowledgement);
      expect(await quick.part(introduce(), 'bern')).toBe('DEVICE_ENROLLED');
    }
  });

  test('ENR-12: another introduction that was under way is not stored over a device that enrolled', async () => {
    const node = new NewNode();
    const reached = gate();
    const released = gate();
    const hold = { key: introducedRow(DEVICE), nth: 2, reached: reached.open, until: released.opened };
    const [quick, late] = [node.process(), node.process(hold)];
    const [first, second] = [introduce(), introduce()];
    await quick.part(second, 'bern');
    const slowPart = late.part(second, 'delhi');
    await reached.opened;
    await quick.part(first, 'bern');
    await quick.part(first, 'cairo');
    const { confirmation } = await answered(quick, first);
    await quick.service.confirm(confirmation);
    released.open();
    expect(await slowPart).toBe('DEVICE_ENROLLED');
    expect(await codeOf(async () => quick.service.confirm(confirmation))).toBe('done');
  });

  test('ENR-12: nothing is stored for a device that enrolled with its ordinary token meanwhile', async () => {
    const node = new NewNode();
    const record = { ...freshRecord(AMSTERDAM), expiresMs: node.clock.now() + 60 * MINUTE_MS };
    await node.store.commit([{ key: tokenRow(TOKEN_ID), value: encodeState({ record, tags: [] }) }]);
    const reached = gate();
    const released = gate();
    const key = introductionRow('bern', hexOf(DEVICE));
    const hold = { key, nth: 1, reached: reached.open, until: released.opened };
    const [quick, late] = [node.process(), node.process(hold)];
    const introducing = introduce();
    await quick.part(introducing, 'bern');
    const slowPart = late.part(introducing, 'delhi');
    await reached.opened;
    const token = nodeTokenSecret(NETWORK_ID, tokenSecret(), AMSTERDAM.nodeId, AMSTERDAM.keyHash);
    const { confirmation } = await answered(quick, { token });
    await quick.service.confirm(confirmation);
    released.open();
    expect(await slowPart).toBe('DEVICE_ENROLLED');
    expect(await codeOf(async () => quick.service.confirm(confirmation))).toBe('done');
  });

  test('ENR-12: one of two parts that come to different processes at once completes', async () => {
    const node = new NewNode();
    const [one, other] = [node.process(), node.process()];
    const introducing = introduce();
    const codes = await Promise.all([
      one.part(introducing, 'bern'),
      other.part(introducing, 'cairo'),
      one.part(introducing, 'delhi'),
    ]);
    expect(codes).toEqual(['done', 'done', 'done']);
    const { confirmation } = await answered(other, introducing);
    expect(await codeOf(async () => one.service.confirm(confirmation))).toBe('done');
  });
});

describe('a node that sends many parts at once', () => {
  test('ENR-11: has as many wait as one that sends them one by one', async () => {
    const node = new NewNode();
    const process = node.process();
    const sent = Array.from({ length: 200 }, async () =>
      process.part(introduce(prng.bytes(16), prng.bytes(32)), 'delhi'),
    );
    const codes = await Promise.all(sent);
    expect(codes.filter((code) => code === 'done')).toHaveLength(64);
    expect(codes.filter((code) => code === 'INTRODUCTION_BUSY')).toHaveLength(136);
    expect(await process.part(introduce(), 'bern')).toBe('done');
  });

  test('ENR-11: has the operator told once that it differs from another, until parts have gone', async () => {
    const node = new NewNode();
    const process = node.process();
    const introducing = introduce();
    await process.part(introducing, 'bern');
    for (let i = 0; i < 5; i++) await process.part(introducing, 'delhi', `mallory ${i}`);
    expect(node.told).toMatchObject([{ nodes: ['delhi', 'bern'] }]);
    node.clock.advance(10 * MINUTE_MS);
    await process.part(introducing, 'bern');
    await process.part(introducing, 'delhi', 'mallory');
    expect(node.told).toHaveLength(2);
  });
});
