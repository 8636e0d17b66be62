import { chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NkeySigner, createNkey } from '@symmetra/bus';
import { writeFileAtomic } from '@symmetra/runtime';
import type { NodeConfig } from '@symmetra/runtime/configuration';

const PRIVATE_DIRECTORY = 0o700;

/** Where the files of a node lie that its configuration does not name one by one. */
export function nodeFiles({ data, masterKeyFile: masterKey, bus }: NodeConfig) {
  return {
    masterKey: masterKey ?? join(data, 'master.key'),
    nkeySeed: bus.nkeySeedFile ?? join(data, 'nkey.seed'),
    store: join(data, 'store'),
    mark: join(data, 'store.mark'),
    description: join(data, 'node.json'),
  };
}

/** Makes the directory of a node, closed to everybody else. @throws NO_PERMISSION and the like from the system */
export async function makeDataDirectory({ data }: NodeConfig): Promise<void> {
  await mkdir(data, { recursive: true, mode: PRIVATE_DIRECTORY });
  await chmod(data, PRIVATE_DIRECTORY);
}

/** The files of one side of TLS. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** What stands in them, in PEM. */
export async function readTls({ caFile, certFile, keyFile }: TlsFiles): Promise<{
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}> {
  return {
    ...(caFile !== undefined && { ca: await readFile(caFile, 'utf8') }),
    ...(certFile !== undefined && { cert: await readFile(certFile, 'utf8') }),
    ...(keyFile !== undefined && { key: await readFile(keyFile, 'utf8') }),
  };
}

/**
 * The public half of the key by which NATS knows the node; its seed (0600) is drawn when there is none.
 * @throws BAD_NKEY, NO_PERMISSION, DISK_FULL
 */
export async function nkeyOf(config: NodeConfig): Promise<string> {
  const { nkeySeed } = nodeFiles(config);
  const found = await readFile(nkeySeed).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) {
    const drawn = createNkey();
    await mkdir(dirname(nkeySeed), { recursive: true, mode: PRIVATE_DIRECTORY });
    await writeFileAtomic(nkeySeed, drawn.seed);
    drawn.seed.fill(0);
    return drawn.public;
  }
  try {
    return new NkeySigner(found).public;
  } finally {
    found.fill(0);
  }
}
