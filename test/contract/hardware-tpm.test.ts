import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SymmetraError, fromHex, toHex } from '@symmetra/crypto';
import { tpmSource } from '@symmetra/entropy';
import { Tpm } from '@symmetra/hardware';
import { systemClock } from '@symmetra/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  decodeEmpty,
  decodeRandom,
  getRandomCommand,
  selfTestCommand,
  startupCommand,
  stirRandomCommand,
} from '../../packages/hardware/src/tpm/codec.js';
import { codeOf } from './noise-source-suite.js';

/** A response: its code and its parameters as hexadecimal text. */
const response = (rc: number, parameters = ''): string => {
  const length = 10 + parameters.length / 2;
  return `8001${length.toString(16).padStart(8, '0')}${rc.toString(16).padStart(8, '0')}${parameters}`;
};
const random = (bytes: string): string =>
  response(0, (bytes.length / 2).toString(16).padStart(4, '0') + bytes);

describe('commands', () => {
  test('are what the TPM 2.0 Library, part 3, says', () => {
    expect(toHex(startupCommand())).toBe('80010000000c000001440000');
    expect(toHex(selfTestCommand())).toBe('80010000000b0000014300');
    expect(toHex(getRandomCommand(48))).toBe('80010000000c0000017b0030');
    expect(toHex(stirRandomCommand(Uint8Array.of(0xaa, 0xbb)))).toBe('80010000000e000001460002aabb');
  });
});

describe('responses', () => {
  const failureOf = (action: () => unknown): SymmetraError => {
    try {
      action();
    } catch (error) {
      if (error instanceof SymmetraError) return error;
      throw error;
    }
    throw new Error('nothing was thrown');
  };

  test('of success give what they hold', () => {
    expect(decodeRandom(fromHex(random('0102')), 2)).toEqual(Uint8Array.of(1, 2));
    expect(decodeRandom(fromHex(random('01')), 64)).toEqual(Uint8Array.of(1));
    expect(() => decodeEmpty(fromHex(response(0)))).not.toThrow();
  });

  test.each([
    ['cut short', '800100000010000000000004aabbcc'],
    ['longer than it says', '80010000000a00000000ff'],
    ['with a length below its own header', '80010000000900000000'],
    ['longer than any', '8001000010010000000000'],
    ['with a foreign tag', '80020000000c000000000000'],
    ['of a TPM 1.2', '00c40000000a00000000'],
    ['with no random bytes', random('')],
    ['with more random bytes than were asked for', random('0102030405')],
    ['with a length that does not fit', response(0, '0003aabb')],
    ['with half a length', response(0, '00')],
    ['with nothing', response(0)],
    ['empty', ''],
  ])('%s are refused', (_, hex) => {
    expect(failureOf(() => decodeRandom(fromHex(hex), 4)).code).toBe('TPM_BAD_RESPONSE');
  });

  test('with parameters where none were asked for are refused', () => {
    expect(failureOf(() => decodeEmpty(fromHex(response(0, 'aa')))).code).toBe('TPM_BAD_RESPONSE');
  });

  test.each([
    [0x101, 'TPM_RC_FAILURE'],
    [0x1e, 'TPM_RC_BAD_TAG'],
    [0x1d5, 'TPM_RC_SIZE for parameter 1'],
    [0x184, 'TPM_RC_VALUE for handle 1'],
    [0x984, 'TPM_RC_VALUE for session 1'],
    [0x922, 'TPM_RC_RETRY'],
    [0x000b_0143, 'TPM_RC_COMMAND_CODE'],
    [0x912, '0x00000912'],
  ])('of failure are named: %i', (rc, name) => {
    const error = failureOf(() => decodeEmpty(fromHex(response(rc))));
    expect(error).toMatchObject({ code: 'TPM_FAILED', details: { rc }, message: `the TPM answered ${name}` });
  });

  test('of a TPM 1.2 that knows no such tag say so', () => {
    const error = failureOf(() => decodeEmpty(fromHex('00c40000000a0000001e')));
    expect(error).toMatchObject({ code: 'TPM_FAILED', details: { rc: 0x1e } });
  });
});

describe('a TPM that answers by the script', () => {
  let folder: string;
  let server: Server;
  let commands: string[];
  let pauses: number[];
  let script: (readonly string[])[];
  const connections = new Set<Socket>();

  /** For each command the pieces of the answer, as hexadecimal text; `end` ends the connection. */
  const answer = (socket: Socket, command: Buffer): void => {
    commands.push(command.toString('hex'));
    const sendNext = ([piece, ...rest]: readonly string[]): void => {
      if (piece === undefined) return;
      if (piece === 'end') socket.end();
      else socket.write(Buffer.from(piece, 'hex'), () => void setImmediate().then(() => sendNext(rest)));
    };
    sendNext(script.shift() ?? []);
  };

  beforeEach(async () => {
    [commands, pauses, script] = [[], [], []];
    folder = await mkdtemp(join(tmpdir(), 'symmetra-tpm-'));
    server = createServer((socket) => {
      connections.add(socket.on('data', (command) => answer(socket, command)).on('error', () => undefined));
    });
    server.listen(join(folder, 'socket'));
    await once(server, 'listening');
  });
  afterEach(async () => {
    for (const socket of connections) socket.destroy();
    connections.clear();
    server.close();
    await once(server, 'close');
    await rm(folder, { recursive: true, force: true });
  });

  const open = async (): Promise<Tpm> =>
    Tpm.open({ socket: join(folder, 'socket') }, async (ms) => {
      pauses.push(ms);
    });

  const getRandom = toHex(getRandomCommand(4));
  const good = random('01020304');

  test('is asked once when it gives what was asked for', async () => {
    script = [[good]];
    const tpm = await open();
    expect(await tpm.random(4)).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(commands).toEqual([getRandom]);
    await tpm.close();
    await tpm.close();
    expect(await codeOf(tpm.random(4))).toBe('TPM_GONE');
  });

  test('may send its answer in pieces', async () => {
    script = [[good.slice(0, 6), good.slice(6, 22), good.slice(22)]];
    const tpm = await open();
    expect(await tpm.random(4)).toEqual(Uint8Array.of(1, 2, 3, 4));
    await tpm.close();
  });

  test('is started when it was not, tested when it asks for that, and asked again', async () => {
    script = [[response(0x100)], [response(0)], [response(0x153)], [response(0)], [good]];
    const tpm = await open();
    expect(await tpm.random(4)).toHaveLength(4);
    expect(commands).toEqual([
      getRandom,
      toHex(startupCommand()),
      getRandom,
      toHex(selfTestCommand()),
      getRandom,
    ]);
    expect(pauses).toEqual([]);
    await tpm.close();
  });

  test('is given time when it asks for that', async () => {
    script = [[response(0x922)], [response(0x90a)], [response(0x908)], [good]];
    const tpm = await open();
    expect(await tpm.random(4)).toHaveLength(4);
    expect(commands).toHaveLength(4);
    expect(pauses).toEqual([5, 10, 20]);
    await tpm.close();
  });

  test('that is never ready is believed in the end', async () => {
    script = Array.from({ length: 20 }, () => [response(0x922)]);
    const tpm = await open();
    await expect(tpm.random(4)).rejects.toMatchObject({ code: 'TPM_FAILED', details: { rc: 0x922 } });
    expect(commands).toHaveLength(10);
    await tpm.close();
  });

  test.each([
    ['fails', [response(0x101)], 'TPM_FAILED'],
    ['sends more than it says', [`${good}00`], 'TPM_BAD_RESPONSE'],
    ['sends an impossible length', ['8001ffffffff'], 'TPM_BAD_RESPONSE'],
    ['ends in the midst of its answer', [good.slice(0, 8), 'end'], 'TPM_GONE'],
    ['ends without an answer', ['end'], 'TPM_GONE'],
  ])('and %s is asked no further', async (_, pieces, code) => {
    script = [pieces];
    const tpm = await open();
    expect(await codeOf(tpm.random(4))).toBe(code);
    expect(commands).toHaveLength(1);
    await tpm.close();
  });

  test('that says more than it was asked is not believed with the next command', async () => {
    script = [[good]];
    const tpm = await open();
    await tpm.random(4);
    for (const socket of connections) {
      await promisify((bytes: Buffer, done: () => void) => socket.write(bytes, done))(
        Buffer.from(good, 'hex'),
      );
    }
    // The bytes are in the pipe: the next turns of the event loop bring them.
    for (let i = 0; i < 3; i++) await setImmediate();
    expect(await codeOf(tpm.random(4))).toBe('TPM_BAD_RESPONSE');
    expect(commands).toHaveLength(1);
    await tpm.close();
  });

  test('and says nothing makes its source silent, and a new connection is made for the next read', async () => {
    script = [[], [random('0506')]];
    const source = tpmSource({
      description: {
        name: 'tpm',
        kind: 'tpm',
        physical: true,
        quantum: false,
        simulated: false,
        raw: false,
        bitsPerSample: 8,
        minEntropyPerSample: 8,
      },
      address: { socket: join(folder, 'socket') },
      clock: systemClock,
      timeoutMs: 300,
    });
    const never = new AbortController().signal;
    expect(await codeOf(source.read(2, never))).toBe('SOURCE_SILENT');
    expect((await source.read(2, never)).samples).toEqual(Uint8Array.of(5, 6));
    expect(connections.size).toBe(2);
    await source.close();
  });
});
