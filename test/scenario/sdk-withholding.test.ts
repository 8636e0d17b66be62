import { expect, test, vi } from 'vitest';
import type { SymmetraError } from '@symmetra/crypto';
import { createLogger, systemClock } from '@symmetra/runtime';
import { ManualClock } from '@symmetra/testing';
import { encode } from '../../packages/rpc/src/index.js';
import { Attachments } from '../../packages/sdk/src/session/attachments.js';
import type { AttachmentParts } from '../../packages/sdk/src/session/attachments.js';
import { EventNumbers } from '../../packages/sdk/src/session/event-numbers.js';
import type { HomeLink } from '../../packages/sdk/src/session/home-link.js';
import { Timers } from '../../packages/sdk/src/timers.js';

const NODE = 'node-2';

/** A device at its home, with one more node whose events the home brings, or does not. */
function scene() {
  const clock = new ManualClock();
  const session = {
    nodeId: NODE,
    attached: false,
    events: new EventNumbers(),
    end: { open: (_method: string, { ciphertext }: { ciphertext: Uint8Array }) => ciphertext },
  };
  /** What the node has sent in this session, whatever of it has arrived. */
  const node = { sent: 0, attaches: [] as number[] };
  const closed: SymmetraError[] = [];
  const link = {
    home: 'node-1',
    close: (reason: SymmetraError) => closed.push(reason),
  } as unknown as HomeLink;
  const parts = {
    chains: { ready: () => [NODE], nodes: () => [NODE] },
    sessions: { byId: () => session, current: () => session },
    calls: {
      call: async (
        _link: HomeLink,
        _node: string,
        _method: string,
        requestIn: (of: unknown) => { lastEvent: number },
      ) => {
        node.attaches.push(requestIn(session).lastEvent);
        return { lastEvent: node.sent, descriptorVersion: 1, stage: 'production' };
      },
    },
    random: { bytes: (length: number) => new Uint8Array(length) },
    timers: new Timers(clock),
    logger: createLogger({ level: 'silent', clock: systemClock }),
    addresses: () => [],
    onEvent: vi.fn<AttachmentParts['onEvent']>(),
    onDescriptorVersion: () => undefined,
    onOutcome: () => undefined,
  };
  const attachments = new Attachments(parts as unknown as AttachmentParts);
  const bring = (number: number): void => {
    const ciphertext = encode('symmetra.link.v1.DeviceEvent', { number });
    attachments.receive({ node: NODE, session: new Uint8Array(16), message: { seq: number, ciphertext } });
  };
  /** Lets time pass, and the work that it makes due come to its end. */
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { attachments, link, node, closed, bring, pass, onEvent: parts.onEvent };
}

test('SES-6: an event that is missing is asked for, and found', async () => {
  const { attachments, link, node, closed, bring, pass, onEvent } = scene();
  attachments.use(link);
  await pass(0);
  expect(node.attaches).toEqual([0]);
  bring(1);
  bring(3);
  node.sent = 4;
  await pass(400);
  expect(node.attaches).toEqual([0, 1]);
  bring(4);
  await pass(2000);
  expect(node.attaches).toEqual([0, 1]);
  expect(closed).toEqual([]);
  expect(onEvent).toHaveBeenCalledTimes(3);
});

test('SES-6: order of arrival alone is no gap', async () => {
  const { attachments, link, node, bring, pass } = scene();
  attachments.use(link);
  await pass(0);
  bring(2);
  await pass(100);
  bring(1);
  await pass(2000);
  expect(node.attaches).toEqual([0]);
});

test('SES-6: a home that goes on withholding what nodes say they sent is left', async () => {
  const { attachments, link, node, closed, pass } = scene();
  attachments.use(link);
  await pass(0);
  node.sent = 1;
  attachments.renew();
  await pass(0);
  for (let turn = 0; turn < 6 && closed.length === 0; turn++) {
    node.sent += 1;
    await pass(400);
  }
  expect(closed).toMatchObject([{ code: 'HOME_WITHHOLDS', details: { node: 'node-1' } }]);
});
