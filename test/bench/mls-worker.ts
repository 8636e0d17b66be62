import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type { MlsResult } from './mls.js';
import { serve } from './worker.js';

/** Asks of the process that runs ts-mls. */
export interface MlsRequest {
  /** Where it is installed. */
  readonly folder: string;
  readonly members: number;
}

type State = { readonly ratchetTree: unknown };
type Keys = { readonly publicPackage: unknown; readonly privatePackage: unknown };

/** What of ts-mls is used here. */
interface Mls {
  getCiphersuiteFromName(name: string): unknown;
  getCiphersuiteImpl(suite: unknown): Promise<unknown>;
  defaultCapabilities(): unknown;
  defaultLifetime: unknown;
  emptyPskIndex: unknown;
  generateKeyPackage(...parts: readonly unknown[]): Promise<Keys>;
  createGroup(...parts: readonly unknown[]): Promise<State>;
  createCommit(
    context: { readonly state: State; readonly cipherSuite: unknown },
    options: { readonly extraProposals: readonly unknown[] },
  ): Promise<{ readonly newState: State; readonly welcome: unknown; readonly commit: PrivateCommit }>;
  joinGroup(...parts: readonly unknown[]): Promise<State>;
  processPrivateMessage(...parts: readonly unknown[]): Promise<{ readonly newState: State }>;
  encodeMlsMessage(message: object): Uint8Array;
}

interface PrivateCommit {
  readonly privateMessage: unknown;
}

const SUITE = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519';

serve<MlsRequest>(async ({ folder, members }) => {
  const entry = join(folder, 'node_modules', 'ts-mls', 'dist', 'src', 'index.js');
  const mls = (await import(pathToFileURL(entry).href)) as Mls;
  await measure(mls, 8);
  return measure(mls, members);
});

async function measure(mls: Mls, members: number): Promise<MlsResult> {
  const cipherSuite = await mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(SUITE));
  const keysOf = async (name: string): Promise<Keys> =>
    mls.generateKeyPackage(
      { credentialType: 'basic', identity: new TextEncoder().encode(name) },
      mls.defaultCapabilities(),
      mls.defaultLifetime,
      [],
      cipherSuite,
    );
  const alice = await keysOf('alice');
  const others: Keys[] = [];
  for (let i = 1; i < members; i += 1) others.push(await keysOf(`member ${i}`));
  const bob = others.at(-1);
  const empty = await mls.createGroup(
    new TextEncoder().encode('group'),
    alice.publicPackage,
    alice.privatePackage,
    [],
    cipherSuite,
  );

  const began = performance.now();
  const adds = others.map(({ publicPackage }) => ({
    proposalType: 'add',
    add: { keyPackage: publicPackage },
  }));
  const added = await mls.createCommit({ state: empty, cipherSuite }, { extraProposals: adds });
  const joined = await mls.joinGroup(
    added.welcome,
    bob?.publicPackage,
    bob?.privatePackage,
    mls.emptyPskIndex,
    cipherSuite,
    added.newState.ratchetTree,
  );
  const created = performance.now();

  const removal = { proposalType: 'remove', remove: { removed: 1 } };
  const removed = await mls.createCommit(
    { state: added.newState, cipherSuite },
    { extraProposals: [removal] },
  );
  const before = process.cpuUsage();
  await mls.processPrivateMessage(joined, removed.commit.privateMessage, mls.emptyPskIndex, cipherSuite);
  const { user, system } = process.cpuUsage(before);
  const ended = performance.now();

  const welcome = { version: 'mls10', wireformat: 'mls_welcome', welcome: added.welcome };
  return {
    createMs: created - began,
    createDealerBytes: mls.encodeMlsMessage(added.commit).length + mls.encodeMlsMessage(welcome).length,
    removeMs: ended - created,
    removeBytes: mls.encodeMlsMessage(removed.commit).length,
    memberCpuMs: (user + system) / 1000,
  };
}
