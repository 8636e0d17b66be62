import { SymmetraError, sha256, suites } from '@symmetra/crypto';
import {
  decodeIntroductionHeader,
  deviceIdOf,
  receiveConfirmation,
  receiveOffer,
  startEnrolment,
} from '@symmetra/protocol';
import type { NodeTokenSecret, TokenRecord } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import { EnrolmentCompletion } from '../../packages/sdk/src/enrolment/completion.js';
import type { CompletionParts } from '../../packages/sdk/src/enrolment/completion.js';
import { EnrolmentRuns } from '../../packages/sdk/src/enrolment/enrolment-run.js';
import type { EnrolmentParts } from '../../packages/sdk/src/enrolment/enrolment-run.js';
import { Introductions } from '../../packages/sdk/src/enrolment/introductions.js';
import type { IntroductionsParts } from '../../packages/sdk/src/enrolment/introductions.js';
import {
  AMSTERDAM,
  CONTEXT,
  TOKEN_ID,
  enrolmentRules,
  enrolmentStart,
  freshRecord,
  kemRandom,
  publicKeyOf,
} from './protocol-world.js';

/*
 * ENR-9, ENR-12: a device that is introduced, among nodes that are away, late, or lie.
 */
const SUITE = suites.get(1);
const OLD = ['bern', 'cairo', 'delhi'];
const prng = new Prng('enrolments of a device');
const NONCE = prng.bytes(32);
const bytes = (length: number): Uint8Array => prng.bytes(length);
const refusal = (code: string): SymmetraError => new SymmetraError(code, 'refused');
const DESCRIPTOR = {
  version: 4,
  threshold: 2,
  nodes: [AMSTERDAM.nodeId, ...OLD].map((id) => ({
    id,
    addresses: [],
    kemKeys: [...AMSTERDAM.kemKeys.keys()].map((suiteId) => ({
      suiteId,
      publicKey: publicKeyOf(AMSTERDAM, suiteId),
    })),
    signingKey: new Uint8Array(0),
    operator: '',
  })),
};

/** The rows of a device, in memory. */
function rows() {
  const held = new Map<string, unknown>();
  return {
    held,
    commit: async (changes: readonly { key: string; value: unknown }[]) => {
      for (const { key, value } of changes) held.set(key, value);
    },
    list: async (prefix: string) =>
      [...held].flatMap(([key, value]) =>
        key.startsWith(prefix) && value !== null ? [{ name: key.slice(prefix.length), value }] : [],
      ),
  };
}

/** Asks of one node: a receipt, or a refusal. */
type Answer = (node: string, header: Uint8Array, round: number) => void;

/** The device's introductions; `answers` throws what a node refuses with. */
async function introductionsOf(state: ReturnType<typeof rows>, answers: Answer) {
  let asked = 0;
  const call = async (node: string, _: string, { header }: { header: Uint8Array }) => {
    asked += 1;
    answers(node, header, Math.ceil(asked / OLD.length));
    return { headerHash: sha256(header) };
  };
  const introductions = await Introductions.load({
    context: CONTEXT,
    device: { tokenId: TOKEN_ID, enrolmentNonce: NONCE },
    state,
    chains: { ready: () => OLD },
    descriptors: { current: DESCRIPTOR, refresh: async () => DESCRIPTOR },
    connection: () => ({ home: 'bern', call }),
    random: { bytes },
  } as unknown as IntroductionsParts);
  return { introductions, asked: () => asked };
}

describe('a device that asks for an introduction', () => {
  /** Runs the completion at the new node for some rounds. */
  async function drive(answers: Answer): Promise<{ rounds: number; refused: string[] }> {
    const { introductions } = await introductionsOf(rows(), answers);
    const refused: string[] = [];
    let rounds = 0;
    await new Promise<void>((over) => {
      const runs = {
        unfinished: () => [AMSTERDAM.nodeId],
        complete: async () => {
          rounds += 1;
          await introductions.ask(AMSTERDAM.nodeId);
        },
      };
      const completion = new EnrolmentCompletion({
        runs,
        random: { bytes },
        timers: {
          sleep: async () => {
            if (rounds === 5) over();
            if (rounds > 5) throw refusal('CLIENT_CLOSED');
          },
        },
        logger: { info: () => undefined, warn: () => undefined },
        threshold: () => 2,
        ready: () => 3,
        onProgress: over,
        onRefused: (error: SymmetraError) => {
          refused.push(error.code);
          over();
        },
      } as unknown as CompletionParts);
      completion.start();
    });
    return { rounds, refused };
  }

  test.each([
    'NODE_UNREACHABLE',
    'BUS_BUSY',
    'NODE_STALE',
    'NODE_UNKNOWN',
    'INTRODUCTION_BUSY',
    'STORE_FULL',
    'HEADER_MISMATCH',
    'MESSAGE_REPLAYED',
    'STATE_LEFT',
  ])('ENR-9: does not give up because one node lies while another says %s', async (code) => {
    const outcome = await drive((node, _, round) => {
      if (node === 'cairo') throw refusal('DEVICE_ENROLLED');
      if (node === 'delhi' && round === 1) throw refusal(code);
    });
    expect(outcome).toEqual({ rounds: 2, refused: [] });
  });

  test('ENR-9: gives up when fewer than k can still introduce it', async () => {
    const outcome = await drive((node) => {
      if (node !== 'bern') throw refusal('DEVICE_ENROLLED');
    });
    expect(outcome).toEqual({ rounds: 1, refused: ['DEVICE_ENROLLED'] });
  });
});

describe('a device that was answered, and whose confirmation comes late', () => {
  const deviceId = deviceIdOf(TOKEN_ID, NONCE);
  const rules = enrolmentRules(AMSTERDAM);

  /** Amsterdam, as the device hears it: the token that it holds now, if any, and what it says beside. */
  class Amsterdam {
    record: TokenRecord | undefined;
    lies: { confirm?: string; offer?: string } = {};

    offer(offer: Uint8Array): Uint8Array {
      if (this.lies.offer !== undefined) throw refusal(this.lies.offer);
      if (this.record === undefined) throw refusal('TOKEN_UNKNOWN');
      const random = { nonce: bytes(32), coins: bytes(SUITE.kem.coinsLength) };
      const { state, output } = receiveOffer(CONTEXT, rules, this.record, offer, 0, random);
      this.record = state;
      return output;
    }

    confirm(confirmation: Uint8Array): Uint8Array {
      if (this.lies.confirm !== undefined) throw refusal(this.lies.confirm);
      if (this.record === undefined) throw refusal('TOKEN_UNKNOWN');
      const { state, output } = receiveConfirmation(this.record, confirmation);
      this.record = state;
      return output.acknowledgement;
    }

    /** ENR-12, with the t_new that the device drew. */
    introduced(token: NodeTokenSecret): void {
      this.record = { ...freshRecord(AMSTERDAM), token: token.clone() };
    }
  }

  async function world(answers: Answer = () => undefined, isAnswered = true) {
    const state = rows();
    const amsterdam = new Amsterdam();
    amsterdam.record = { ...freshRecord(AMSTERDAM) };
    const start = { ...enrolmentStart(AMSTERDAM, SUITE, 'late'), enrolmentNonce: NONCE };
    const { state: offered } = startEnrolment(CONTEXT, start, kemRandom(SUITE, 'late'));
    state.held.set(`enrolment/${AMSTERDAM.nodeId}`, offered);
    const begun: string[] = [];
    const { introductions, asked } = await introductionsOf(state, answers);
    const client = {
      offer: async ({ offer }: { offer: Uint8Array }) => ({ answer: amsterdam.offer(offer) }),
      confirm: async ({ confirmation }: { confirmation: Uint8Array }) => ({
        acknowledgement: amsterdam.confirm(confirmation),
      }),
    };
    const load = async (): Promise<EnrolmentRuns> =>
      EnrolmentRuns.load({
        context: CONTEXT,
        device: { tokenId: TOKEN_ID, enrolmentNonce: NONCE, name: 'late', hints: [] },
        state,
        chains: {
          nodes: () => OLD,
          ready: () => [...OLD, AMSTERDAM.nodeId],
          begin: async (node: string, _: unknown, others: { key: string; value: unknown }[]) => {
            begun.push(node);
            await state.commit(others);
          },
          get: () => ({ keys: { stage: 'production' } }),
        },
        stepper: { finish: async () => undefined },
        routes: {
          call: async (_: string, action: (given: typeof client, node: string) => Promise<unknown>) =>
            action(client, AMSTERDAM.nodeId),
        },
        descriptors: { current: DESCRIPTOR },
        introductions,
        random: { bytes },
        stage: () => 'production',
        suiteId: () => 1,
      } as unknown as EnrolmentParts);
    const complete = async (): Promise<string> => {
      const runs = await load();
      return runs.complete(AMSTERDAM.nodeId).then(
        () => 'done',
        (error: unknown) => {
          if (!(error instanceof SymmetraError)) throw error;
          return error.code;
        },
      );
    };
    if (isAnswered) {
      // The answer came; the confirmation did not get through.
      amsterdam.lies = { confirm: 'NODE_UNREACHABLE' };
      expect(await complete()).toBe('NODE_UNREACHABLE');
      amsterdam.lies = {};
    }
    const drawn = async (): Promise<NodeTokenSecret> => {
      const { token } = await introductions.ask(AMSTERDAM.nodeId);
      return token;
    };
    return { state, amsterdam, begun, complete, drawn, asked, introductions };
  }

  test.each([
    ['the token is gone', 'TOKEN_UNKNOWN', 'TOKEN_UNKNOWN'],
    ['another token stands in its place', 'RESERVATION_UNKNOWN', 'AUTHENTICATION_FAILED'],
    ['the token has expired', 'RESERVATION_UNKNOWN', 'TOKEN_EXPIRED'],
    ['the offer was made with an older descriptor', 'RESERVATION_UNKNOWN', 'DESCRIPTOR_OLD'],
  ])('ENR-12: is introduced when %s', async (_, confirm, offer) => {
    const { amsterdam, begun, complete, drawn, state } = await world();
    amsterdam.record = undefined;
    amsterdam.lies = { confirm, offer };
    expect(await complete()).toBe(offer);
    amsterdam.lies = {};
    amsterdam.introduced(await drawn());
    expect(await complete()).toBe('done');
    expect(begun).toEqual([AMSTERDAM.nodeId]);
    expect([...state.held.values()].every((value) => value === null)).toBe(true);
    expect(amsterdam.record).toMatchObject({ claims: [{ kind: 'spent', deviceId }] });
  });

  test('ENR-12: asks again when the node took an introduction and the receipts were lost', async () => {
    const { amsterdam, begun, complete, drawn } = await world((_, header, round) => {
      if (round === 1) throw refusal('NODE_UNREACHABLE');
      decodeIntroductionHeader(CONTEXT, header);
    }, false);
    amsterdam.lies = { offer: 'TOKEN_SPENT' };
    expect(await complete()).toBe('NODE_UNREACHABLE');
    amsterdam.lies = {};
    amsterdam.introduced(await drawn());
    expect(await complete()).toBe('done');
    expect(begun).toEqual([AMSTERDAM.nodeId]);
  });

  test('ENR-12: keeps what it has until the new offer is answered: the refusals may have been lies', async () => {
    const { amsterdam, begun, complete, asked } = await world();
    const held = amsterdam.record;
    amsterdam.lies = { confirm: 'TOKEN_UNKNOWN', offer: 'TOKEN_UNKNOWN' };
    expect(await complete()).toBe('TOKEN_UNKNOWN');
    expect(asked()).toBeGreaterThan(0);
    amsterdam.lies = {};
    expect(amsterdam.record).toBe(held);
    expect(await complete()).toBe('done');
    expect(begun).toEqual([AMSTERDAM.nodeId]);
  });

  test('ENR-12: keeps what it has when the node says that it knows the device', async () => {
    const { amsterdam, complete, begun } = await world(() => {
      throw refusal('DEVICE_ENROLLED');
    });
    amsterdam.lies = { confirm: 'RESERVATION_UNKNOWN', offer: 'TOKEN_EXPIRED' };
    expect(await complete()).toBe('DEVICE_ENROLLED');
    amsterdam.lies = {};
    expect(await complete()).toBe('done');
    expect(begun).toEqual([AMSTERDAM.nodeId]);
  });

  test('ENR-9: asks with the identical header while the descriptor is the same', async () => {
    const headers = new Set<string>();
    const { amsterdam, complete } = await world((_, header) => {
      headers.add(Buffer.from(header).toString('hex'));
      decodeIntroductionHeader(CONTEXT, header);
    });
    amsterdam.lies = { confirm: 'TOKEN_UNKNOWN', offer: 'TOKEN_UNKNOWN' };
    for (let i = 0; i < 3; i++) expect(await complete()).toBe('TOKEN_UNKNOWN');
    expect(headers.size).toBe(1);
  });
});
