import { stat } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';
import type { NodeConfig } from '@symmetra/runtime/configuration';
import { nodeFiles } from '../provision/node-files.js';
import type { TlsFiles } from '../provision/node-files.js';

/** Others may do nothing with a secret, and its group may not change it: Kubernetes gives its files a group. */
const TOO_OPEN = 0o027;

interface NamedFile {
  /** The setting that names it. */
  readonly field: string;
  readonly path: string;
  readonly isSecret: boolean;
}

/**
 * Checks that the files which a node needs are there, and its secrets closed to others.
 * @throws NO_SUCH_FILE, KEY_FILE_MISSING, KEY_FILE_MODE, NO_PERMISSION, each with `details.field` and `details.path`
 */
export async function checkNodeFiles(config: NodeConfig): Promise<void> {
  for (const file of filesOf(config)) await check(file);
}

async function check({ field, path, isSecret }: NamedFile): Promise<void> {
  const details = { field, path };
  const found = await stat(path).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code !== 'EACCES') throw error;
    throw new SymmetraError('NO_PERMISSION', `${field}: ${path} is closed to this user`, details);
  });
  if (found === undefined) {
    if (!isSecret) throw new SymmetraError('NO_SUCH_FILE', `${field}: there is no ${path}`, details);
    throw new SymmetraError(
      'KEY_FILE_MISSING',
      `${field}: there is no ${path}; symmetra node init makes the keys of a node`,
      details,
    );
  }
  if (isSecret && (found.mode & TOO_OPEN) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    throw new SymmetraError(
      'KEY_FILE_MODE',
      `${field}: ${path} is open to others (${mode}); chmod 600 closes it`,
      {
        ...details,
        mode,
      },
    );
  }
}

function filesOf(config: NodeConfig): readonly NamedFile[] {
  const { masterKey, nkeySeed } = nodeFiles(config);
  const { store, bus, links } = config;
  const plain = (field: string, path?: string) =>
    path === undefined ? [] : [{ field, path, isSecret: false }];
  const secret = (field: string, path?: string) =>
    path === undefined ? [] : [{ field, path, isSecret: true }];
  const tls = (field: string, { caFile, certFile, keyFile }: TlsFiles = {}): NamedFile[] => [
    ...plain(`${field}.caFile`, caFile),
    ...plain(`${field}.certFile`, certFile),
    ...secret(`${field}.keyFile`, keyFile),
  ];
  return [
    ...plain('network', config.network),
    ...plain('data', config.data),
    ...secret('masterKeyFile', masterKey),
    ...secret('bus.nkeySeedFile', nkeySeed),
    ...tls('bus.tls', bus.tls),
    ...(store.kind === 'redis'
      ? [
          ...secret('store.passwordFile', store.passwordFile),
          ...secret('store.sentinelPasswordFile', store.sentinelPasswordFile),
          ...tls('store.tls', store.tls),
        ]
      : []),
    ...Object.entries(links.pskFiles ?? {}).flatMap(([node, path]) => secret(`links.pskFiles.${node}`, path)),
    ...Object.entries(links.qkd ?? {}).flatMap(([node, source]) => tls(`links.qkd.${node}.tls`, source.tls)),
    ...plain('entropy', config.entropy),
  ];
}
