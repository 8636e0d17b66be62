import { SymmetraError } from '@symmetra/crypto';
import { parseDuration } from '@symmetra/runtime';
import { parseUpConfig } from '@symmetra/runtime/configuration';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeOutcome, encodeFailure, encodeReply } from '../../packages/bus/src/outcome.js';
import { decodeHeartbeat, encodeHeartbeat } from '../../packages/node/src/control/heartbeat.js';
import { decodeDeviceRow } from '../../packages/node/src/devices/device-row.js';
import { decodeTokenRow } from '../../packages/node/src/enrolment/token-rows.js';
import { decodeKeyRow, encodeKeyRow } from '../../packages/node/src/shares/key-row.js';
import { decodeShareRow, encodeShareRow } from '../../packages/node/src/shares/share-row.js';
import {
  decodeContact,
  decodeVerdict,
  encodeContact,
  encodeVerdict,
} from '../../packages/node/src/process/contact.js';
import { encodeChannelFrame, readChannelFrame } from '../../packages/sdk/src/channel/channel-frames.js';
import { parseAddress } from '../../packages/sdk/src/direct/addresses.js';
import { FrameReader, OPENING, encodeFrame } from '../../packages/sdk/src/direct/frames.js';
import { parsePeer } from '../../packages/sdk/src/pairwise/negotiate-options.js';
import { encodeHeader, parseAnswer, parseHeader } from '../../packages/sdk/src/transfer/file-header.js';
import { parseIdentity } from '../../packages/storage/src/process-identity.js';
import { decodeRow } from '../../packages/storage/src/redis-batch.js';
import { effort } from './effort.js';
import { CORPUS, mutated } from './protocol-corpus.js';

const RUNS = 300;
const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);
const granted = { lifetimeSeconds: 3600, uses: 2 };
const rows = { expiresMs: 5, initiator: bytes(32), granted };

/** A reader of bytes, what it reads, and the codes that its docstring names. */
interface ByteReader {
  readonly read: (input: Uint8Array) => unknown;
  readonly valid: readonly Uint8Array[];
  readonly codes: readonly string[];
}

const BYTE_READERS: Readonly<Record<string, ByteReader>> = {
  'a channel frame': {
    read: readChannelFrame,
    valid: [
      encodeChannelFrame({ kind: 'open', channelId: bytes(16) }),
      encodeChannelFrame({ kind: 'data', bytes: bytes(40) }),
      encodeChannelFrame({ kind: 'switch', offset: 9 }),
      encodeChannelFrame({ kind: 'move-to', keyId: bytes(16) }),
    ],
    codes: ['BAD_ENCODING', 'MESSAGE_TOO_LARGE'],
  },
  'direct frames': {
    read: (input) => new FrameReader(true).push(input),
    valid: [
      { kind: 'hello', keyId: bytes(16), headerHash: bytes(32) } as const,
      { kind: 'message', message: bytes(50) } as const,
    ].map((frame) => Buffer.concat([OPENING, encodeFrame(frame), encodeFrame(frame)])),
    codes: ['BAD_ENCODING', 'MESSAGE_TOO_LARGE'],
  },
  'the row of a key': {
    read: decodeKeyRow,
    valid: [encodeKeyRow({ ...rows, responder: bytes(32), headerHash: bytes(32) })],
    codes: ['BAD_ENCODING'],
  },
  'the row of a share': {
    read: decodeShareRow,
    valid: [encodeShareRow({ ...rows, share: bytes(32), header: bytes(90), ephemeralKey: bytes(0) })],
    codes: ['BAD_ENCODING'],
  },
  'the row of a device': {
    read: (input) => decodeDeviceRow(input.slice()),
    valid: CORPUS.messages['state'] ?? [],
    codes: ['BAD_ENCODING'],
  },
  'the row of a token': {
    read: (input) => decodeTokenRow(input.slice()),
    valid: CORPUS.messages['state'] ?? [],
    codes: ['BAD_ENCODING'],
  },
  'the outcome of a request between nodes': {
    read: decodeOutcome,
    valid: [encodeReply(bytes(20))],
    codes: ['BAD_ENCODING'],
  },
  'the heartbeat of a node': {
    read: decodeHeartbeat,
    valid: [encodeHeartbeat({ head: { number: 4, hash: bytes(32) }, clockMs: 5, descriptorVersion: 6 })],
    codes: ['BAD_ENCODING'],
  },
  'a process of the same node': {
    read: decodeContact,
    valid: [encodeContact({ serves: true, startedMs: 5, instance: '0123abcd', read: bytes(16) })],
    codes: ['BAD_ENCODING'],
  },
  'the verdict on another process of the same node': {
    read: decodeVerdict,
    valid: [encodeVerdict('asker ends')],
    codes: ['BAD_ENCODING'],
  },
  'a row in Redis': { read: (input) => decodeRow(Buffer.from(input)), valid: [bytes(20)], codes: [] },
};

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

describe.each(Object.entries(BYTE_READERS))('the reader of %s', (_name, { read, valid, codes }) => {
  test('reads what is written', () => {
    expect(valid.length).toBeGreaterThan(0);
    for (const input of valid) expect(outcome(() => read(input))).toBe('read');
  });

  test('reads or refuses whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated(valid)), (input) => {
        expect(['read', ...codes]).toContain(outcome(() => read(input)));
      }),
      effort(RUNS),
    );
  });
});

test('direct frames are the same in whatever pieces they come', () => {
  const stream = BYTE_READERS['direct frames']?.valid[1] ?? bytes(0);
  const whole = new FrameReader(true).push(stream);
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 6 }), (cuts) => {
      const reader = new FrameReader(true);
      const ends = [...cuts.toSorted((a, b) => a - b), stream.length];
      const frames = ends.flatMap((end, i) => reader.push(stream.subarray(i === 0 ? 0 : ends[i - 1], end)));
      expect(frames).toEqual(whole);
    }),
    effort(RUNS),
  );
});

test('a failure comes back from another node as it was, or as bad encoding', () => {
  const failure = encodeFailure(new SymmetraError('TOKEN_UNKNOWN', 'not known', { tries: 3, node: 'bern' }));
  expect(outcome(() => decodeOutcome(failure))).toBe('TOKEN_UNKNOWN');
  fc.assert(
    fc.property(mutated([failure]), (input) => {
      expect(outcome(() => decodeOutcome(input))).toMatch(/^(?:read|[A-Z][A-Z0-9_]*)$/);
    }),
    effort(RUNS),
  );
});

const digest = 'a'.repeat(64);
const header = { name: 'report.bin', size: 5, sha256: digest };

/** A reader of text, examples that it reads, and the codes that it refuses others with. */
const TEXT_READERS: readonly {
  readonly name: string;
  readonly read: (text: string) => unknown;
  readonly valid: readonly string[];
  readonly codes: readonly string[];
}[] = [
  {
    name: "a file's header",
    read: parseHeader,
    valid: [encodeHeader(header).toString('utf8', 4)],
    codes: ['BAD_FILE_HEADER'],
  },
  {
    name: "a receiver's answer",
    read: parseAnswer,
    valid: [JSON.stringify({ ok: true, sha256: digest })],
    codes: ['BAD_FILE_HEADER'],
  },
  { name: 'an address', read: parseAddress, valid: ['127.0.0.1:80', '[::1]:7400', 'host:1'], codes: [] },
  { name: 'a peer', read: parsePeer, valid: ['a'.repeat(52)], codes: ['BAD_PEER'] },
  { name: 'a duration', read: parseDuration, valid: ['1h', '250ms', '7d'], codes: ['BAD_DURATION'] },
  {
    name: 'a claim of ownership',
    read: parseIdentity,
    valid: [JSON.stringify({ pid: 1, startTime: '1', bootId: 'x' })],
    codes: [],
  },
];

describe.each(TEXT_READERS)('the reader of $name', ({ read, valid, codes }) => {
  test('reads what is written', () => {
    for (const text of valid) {
      expect(outcome(() => read(text))).toBe('read');
      expect(read(text)).toBeDefined();
    }
  });

  test('reads or refuses whatever comes', () => {
    const damaged = fc
      .record({
        text: fc.constantFrom(...valid),
        at: fc.nat(),
        cut: fc.nat(3),
        put: fc.string({ maxLength: 4 }),
      })
      .map(({ text, at, cut, put }) => {
        const start = at % (text.length + 1);
        return text.slice(0, start) + put + text.slice(start + cut);
      });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), damaged), (text) => {
        expect(['read', ...codes]).toContain(outcome(() => read(text)));
      }),
      effort(RUNS),
    );
  });
});

test('a configuration is complete, or refused at a field', () => {
  const value = fc.oneof(fc.jsonValue(), fc.integer(), fc.constantFrom('3', '', -1, 1.5, null, undefined));
  const config = fc.record(
    { nodes: value, threshold: value, dataDir: value, port: value },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(config, fc.anything()), (input) => {
      expect(['read', 'BAD_CONFIG']).toContain(outcome(() => parseUpConfig(input)));
    }),
    effort(RUNS),
  );
});
