import { Secret, SymmetraError, suites, toHex } from '@symmetra/crypto';
import {
  checkIntroductionPart,
  completeIntroduction,
  decodeDeviceFacts,
  decodeIntroductionHeader,
  decodeIntroductionPart,
  encodeDeviceFacts,
  encodeIntroductionPart,
  introductionRequests,
  nodeKeyHash,
  startIntroduction,
} from '@symmetra/protocol';
import type { Descriptor, IntroductionPart } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { effort } from './effort.js';
import { mutated } from './protocol-corpus.js';

const RUNS = 300;
const NODES = ['bern', 'cairo', 'delhi'];
const prng = new Prng('introduction corpus');
const context = { networkId: prng.bytes(16), suites };
const described = (id: string): Descriptor['nodes'][number] => ({
  id,
  addresses: [],
  kemKeys: [{ suiteId: 1, publicKey: new Prng(id).bytes(32) }],
  signingKey: new Uint8Array(0),
  operator: '',
});
const descriptor: Descriptor = {
  networkId: context.networkId,
  version: 4,
  nodes: ['amsterdam', ...NODES].map(described),
  suites: [1],
  threshold: 2,
  administrators: [],
  administratorThreshold: 1,
};
const node = { nodeId: 'amsterdam', nodeKeyHash: nodeKeyHash(described('amsterdam')), descriptor };

const { state } = startIntroduction(
  context,
  {
    tokenId: prng.bytes(16),
    enrolmentNonce: prng.bytes(32),
    nodeId: node.nodeId,
    nodeKeyHash: node.nodeKeyHash,
    descriptorVersion: 4,
    threshold: 2,
    nodes: NODES,
  },
  { secret: prng.bytes(32), coefficients: prng.bytes(32) },
);
const facts = encodeDeviceFacts({
  account: 'household',
  name: 'thermometer',
  tags: [{ key: 'site', value: 'cellar' }],
});
const parts = introductionRequests(state).map(({ header, share }) =>
  encodeIntroductionPart({ header, share: Secret.of('Share', share.slice()), facts }),
);

const REFUSALS = [
  'BAD_ENCODING',
  'WRONG_VERSION',
  'WRONG_NETWORK',
  'BAD_HEADER',
  'WRONG_NODE',
  'NODE_UNKNOWN',
  'DESCRIPTOR_OLD',
  'NODE_STALE',
  'BELOW_FLOOR',
  'NOT_IN_NODE_SET',
  'SHARE_MISMATCH',
];

/** `read`, or the code of the refusal. Anything else that is thrown fails the test. */
function outcome(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return 'read';
}

const DECODERS = {
  header: { valid: [state.header], decode: (bytes: Uint8Array) => decodeIntroductionHeader(context, bytes) },
  facts: { valid: [facts], decode: decodeDeviceFacts },
  part: { valid: parts, decode: decodeIntroductionPart },
};

describe.each(Object.entries(DECODERS))('the %s of an introduction', (_, { valid, decode }) => {
  test('reads what the protocol writes', () => {
    for (const bytes of valid) expect(outcome(() => decode(bytes))).toBe('read');
  });

  test('takes arbitrary bytes, and damaged ones', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated(valid)), (bytes) => {
        expect(['read', ...REFUSALS.slice(0, 4)]).toContain(outcome(() => decode(bytes)));
      }),
      effort(RUNS),
    );
  });
});

test('a damaged part is refused, or stands for another introduction, which one node alone never completes', () => {
  const first = decodeIntroductionPart(parts[0] as Uint8Array);
  fc.assert(
    fc.property(mutated([parts[1] as Uint8Array]), (bytes) => {
      let part: IntroductionPart | undefined;
      const code = outcome(() => {
        part = decodeIntroductionPart(bytes);
        checkIntroductionPart(context, node, 'cairo', part);
      });
      if (code !== 'read' || part === undefined) {
        expect(REFUSALS).toContain(code);
        return;
      }
      const done = completeIntroduction(context, { from: 'cairo', part }, new Map([['bern', first]]));
      if (done !== undefined) expect(toHex(done.token.bytes)).toBe(toHex(state.token.bytes));
    }),
    effort(RUNS),
  );
});
