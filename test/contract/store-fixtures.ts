import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Secret, SymmetraError } from '@symmetra/crypto';
import { osRandom } from '@symmetra/entropy';
import {
  MAX_SEALED_VALUE_BYTES,
  MAX_VALUE_BYTES,
  openLmdbStore,
  openMemoryStore,
  sealStore,
} from '@symmetra/storage';
import type { MasterKey, Store } from '@symmetra/storage';
import { onTestFinished } from 'vitest';

/** One implementation of the store port, opened on a directory. */
export interface StoreKind {
  readonly name: string;
  readonly durable: boolean;
  readonly maxValueBytes: number;
  open(dir: string): Promise<Store>;
}

const random = osRandom().bytes;

/** The same key each time: a store that is opened again finds its values. */
export function masterKey(fill = 1): MasterKey {
  return Secret.of('masterKey', new Uint8Array(32).fill(fill));
}

export const storeKinds: readonly StoreKind[] = [
  { name: 'memory', durable: false, maxValueBytes: MAX_VALUE_BYTES, open: async () => openMemoryStore() },
  { name: 'LMDB', durable: true, maxValueBytes: MAX_VALUE_BYTES, open: openLmdbStore },
  {
    name: 'sealed memory',
    durable: false,
    maxValueBytes: MAX_SEALED_VALUE_BYTES,
    open: async () => sealStore(openMemoryStore(), masterKey(), random),
  },
  {
    name: 'sealed LMDB',
    durable: true,
    maxValueBytes: MAX_SEALED_VALUE_BYTES,
    open: async (dir) => sealStore(await openLmdbStore(dir), masterKey(), random),
  },
];

/** A directory that is gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'symmetra-store-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A store that is closed after the test. */
export async function openStore(kind: Pick<StoreKind, 'open'>, dir: string): Promise<Store> {
  const store = await kind.open(dir);
  onTestFinished(() => store.close());
  return store;
}

/** The code with which an action is refused. */
export async function refusal(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return 'none';
}

/** A program in a process of its own, killed after the test if it still runs. */
export function startProgram(
  program: URL,
  args: readonly string[],
  launcher: readonly string[] = [],
): ChildProcess {
  const node = [
    process.execPath,
    '--import',
    'tsx',
    '--conditions',
    '@symmetra/source',
    fileURLToPath(program),
    ...args,
  ];
  const [command = '', ...rest] = [...launcher, ...node];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const fromText = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);
