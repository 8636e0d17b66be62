import { SymmetraError } from '@symmetra/crypto';
import { Seat } from '@symmetra/node';
import type { RunningNode } from '@symmetra/node';
import type { SignedDescriptor } from '@symmetra/protocol';
import { createLogger, systemClock } from '@symmetra/runtime';
import { expect, test } from 'vitest';

/** What a seat did, and what decides when a node is up. */
class Scene {
  readonly did: string[] = [];
  readonly seat: Seat;
  readonly #begun: { readonly up: () => void; readonly fail: (error: unknown) => void }[] = [];
  #hear: (newer: SignedDescriptor) => void = () => undefined;

  constructor() {
    this.seat = new Seat({
      logger: createLogger({ level: 'silent', clock: systemClock, output: { write: () => undefined } }),
      build: async ({ descriptor: [version = 0] }, onDescriptor) => {
        this.did.push(`begins ${version}`);
        this.#hear = onDescriptor;
        await new Promise<void>((resolve, reject) => {
          this.#begun.push({ up: resolve, fail: reject });
        });
        this.did.push(`is up ${version}`);
        return this.#node(version);
      },
    });
  }

  /** The node that is being built hears of a descriptor. */
  hears(version: number): void {
    this.#hear(signed(version));
  }

  async up(): Promise<void> {
    this.#begun.shift()?.up();
    await turn();
  }

  async fails(): Promise<void> {
    this.#begun.shift()?.fail(new SymmetraError('PORT_IN_USE', 'the port is in use'));
    await turn();
  }

  #node(version: number): RunningNode {
    const node: Pick<RunningNode, 'port' | 'stop'> = {
      port: version,
      stop: async () => void this.did.push(`stops ${version}`),
    };
    return node as RunningNode;
  }
}

function signed(version: number): SignedDescriptor {
  const none = new Uint8Array(0);
  return { descriptor: Uint8Array.of(version), signature: none, rootPublicKey: none };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test('CTL-2: a node that hears of a newer descriptor while it starts goes over to it when it is up', async () => {
  const scene = new Scene();
  const started = scene.seat.start(signed(1));
  scene.hears(2);
  await turn();
  expect(scene.did).toEqual(['begins 1']);
  await scene.up();
  await expect(started).resolves.toMatchObject({ port: 1 });
  await scene.up();
  expect(scene.did).toEqual(['begins 1', 'is up 1', 'stops 1', 'begins 2', 'is up 2']);
  expect(scene.seat.node).toMatchObject({ port: 2 });
  await scene.seat.stop();
  expect(scene.did.at(-1)).toBe('stops 2');
});

test('a node that does not start is not built again', async () => {
  const scene = new Scene();
  const started = scene.seat.start(signed(1));
  scene.hears(2);
  const [outcome] = await Promise.allSettled([started, scene.fails()]);
  expect(outcome).toMatchObject({ reason: { code: 'PORT_IN_USE' } });
  await scene.seat.stop();
  expect(scene.did).toEqual(['begins 1']);
});

test('a node that can not go over to a descriptor ends', async () => {
  const scene = new Scene();
  const started = scene.seat.start(signed(1));
  await scene.up();
  await started;
  scene.hears(2);
  await turn();
  await scene.fails();
  await expect(scene.seat.failed).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  expect(scene.seat.node).toBeUndefined();
});
