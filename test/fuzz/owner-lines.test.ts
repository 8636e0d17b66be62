import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import { SymmetraError } from '@symmetra/crypto';
import { createLogger, systemClock } from '@symmetra/runtime';
import type { Device } from '@symmetra/sdk';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveOwner } from '../../packages/sdk/src/owner/owner-server.js';
import { effort } from './effort.js';

const METHODS = [
  'status',
  'ratchet',
  'negotiate',
  'keys',
  'psk',
  'send',
  'forget',
  'renew',
  'none',
  '__proto__',
];

/** A device that does nothing: what is asked of it gets as far as it, or is refused before. */
const idle = new Proxy(
  {},
  {
    get: () => () => {
      throw new SymmetraError('REACHED', 'the command reached the device');
    },
  },
) as Device;

describe('lines to the owner of a state directory', () => {
  let folder: string;
  let close: () => Promise<void>;
  let socket: Socket;
  let replies: Interface;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'symmetra-owner-'));
    close = await serveOwner(idle, folder, createLogger({ level: 'silent', clock: systemClock }));
    socket = connect(join(folder, 'control.sock'));
    replies = createInterface({ input: socket });
    await once(socket, 'connect');
  });

  afterAll(async () => {
    socket.destroy();
    await close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The answer to one line: the code of its refusal. */
  const ask = async (line: string): Promise<unknown> => {
    const answer = once(replies, 'line');
    socket.write(`${line}\n`);
    const [text] = (await answer) as [string];
    return (JSON.parse(text) as { readonly error?: { readonly code?: unknown } }).error?.code;
  };

  test('a command that fits reaches the device', async () => {
    expect(await ask(JSON.stringify({ id: 1, method: 'forget', params: { peer: 'x' } }))).toBe('REACHED');
  });

  test('each is answered with a code, whatever it says', async () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('client', 'k', 1, true));
    const names = fc.constantFrom(
      'peer',
      'keyId',
      'role',
      'out',
      'file',
      'wait',
      'threshold',
      'suite',
      'stage',
    );
    const command = fc
      .record({
        id: fc.oneof({ weight: 9, arbitrary: fc.nat() }, { weight: 1, arbitrary: fc.jsonValue() }),
        method: fc.oneof(fc.constantFrom(...METHODS), fc.string()),
        params: fc.oneof(fc.dictionary(names, value, { noNullPrototype: true }), fc.jsonValue()),
      })
      .map((one) => JSON.stringify(one));
    const line = fc
      .oneof(command, fc.json(), fc.string())
      .map((text) => text.replaceAll(/[\r\n\u2028\u2029]/g, ' '));
    await fc.assert(
      fc.asyncProperty(line, async (text) => {
        expect(['REACHED', 'BAD_COMMAND']).toContain(await ask(text));
      }),
      effort(300),
    );
  });
});
