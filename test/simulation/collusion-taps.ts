import { fromBase32, fromBase64Url, fromHex } from '@symmetra/crypto';
import { InProcessNetwork } from '@symmetra/bus';
import type { Bus } from '@symmetra/bus';
import { vi } from 'vitest';
import { attempt } from './collusion-chains.js';

/** From now on, a copy of every request and every reply between nodes that join a bus. */
export function tapBus(): readonly Uint8Array[] {
  const heard: Uint8Array[] = [];
  const join = Object.getOwnPropertyDescriptor(InProcessNetwork.prototype, 'join')?.value as (
    this: InProcessNetwork,
    nodeId: string,
  ) => Bus;
  vi.spyOn(InProcessNetwork.prototype, 'join').mockImplementation(function tapped(
    this: InProcessNetwork,
    nodeId: string,
  ): Bus {
    const bus = join.call(this, nodeId);
    return {
      self: bus.self,
      instance: bus.instance,
      serve: (subject, handler) => bus.serve(subject, handler),
      close: async () => bus.close(),
      request: async (to, subject, payload, options) => {
        heard.push(payload.slice());
        const reply = await bus.request(to, subject, payload, options);
        heard.push(reply.slice());
        return reply;
      },
    };
  });
  return heard;
}

const WORD = /[A-Za-z0-9_-]{40,}/g;

/** The bytes that a log line could hide: of every long word, read as hexadecimal, base64url and base32. */
export function bytesIn(line: object): readonly Uint8Array[] {
  const words = JSON.stringify(line).match(WORD) ?? [];
  return words.flatMap((word) =>
    [fromHex, fromBase64Url, fromBase32].flatMap((read) => attempt(() => read(word)) ?? []),
  );
}
