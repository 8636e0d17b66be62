import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';
import type { BackupSeal } from '@symmetra/node';
import { masterKeyFile } from '@symmetra/storage';
import type { Command, Option } from 'commander';
import { addCommand, option, required } from '../command.js';
import { UsageError } from '../exit.js';
import type { Invocation } from '../invocation.js';
import { requireFree, writeNewFile } from '../output-file.js';
import { readPassphrase } from '../secret-input.js';
import { name, path } from '../values.js';
import { addressOption, configOf, configOption } from './node-options.js';
import type { ConfigOptions } from './node-options.js';

interface SealOptions extends ConfigOptions {
  readonly passphraseFile?: string;
  readonly keyFile?: string;
}

interface BackupOptions extends SealOptions {
  readonly out: string;
}

interface RestoreOptions extends SealOptions {
  readonly from: string;
  readonly address?: readonly string[];
  readonly operator?: string;
}

export function addBackupCommands(node: Command, invocation: Invocation): void {
  addCommand<BackupOptions>(node, invocation, {
    name: 'backup',
    summary: 'write what a node may take up again after a loss',
    details:
      'The descriptor, the control log, and who may hold keys with whom; no keys of the node and nothing of its ' +
      'devices whose reuse would step back. A node that keeps its state in LMDB must not run meanwhile.',
    options: [
      configOption(),
      required(option('--out <file>', 'where the backup goes; the file must not exist', path)),
      ...sealOptions('a file of 32 bytes (0600) to seal the backup with; drawn when there is none'),
    ],
    examples: ['symmetra node backup --config node.yaml --out node-1.backup --passphrase-file passphrase'],
    run: backup,
  });
  addCommand<RestoreOptions>(node, invocation, {
    name: 'restore',
    summary: 'make a node of a backup',
    details:
      'Into an empty data directory. The node counts as new: it draws other keys, the root names them with ' +
      'symmetra network replace-node, and devices enrol with it by themselves. Tokens made before are spent there.',
    options: [
      configOption(),
      required(option('--from <file>', 'the backup', path)),
      ...sealOptions('the file of 32 bytes that the backup was sealed with'),
      addressOption('as before'),
      option('--operator <name>', 'who runs it (default: as before)', name),
    ],
    examples: ['symmetra node restore --config node.yaml --from node-1.backup --passphrase-file passphrase'],
    run: restore,
  });
}

function sealOptions(keyFile: string): readonly Option[] {
  return [
    option('--passphrase-file <file>', 'a file whose first line is the passphrase of the backup', path),
    option('--key-file <file>', keyFile, path),
  ];
}

async function backup(invocation: Invocation, options: BackupOptions): Promise<void> {
  await requireFree(options.out);
  const config = await configOf(options);
  const { backupNode } = await import('@symmetra/node');
  const { file, rows } = await withSeal(options, draw, async (seal) => backupNode(config, seal, draw));
  await writeNewFile(options.out, file);
  invocation.output.result({ node: config.node, file: options.out, rows, bytes: file.length }, [
    `${config.node}: ${rows} rows in ${options.out}`,
  ]);
}

async function restore(invocation: Invocation, options: RestoreOptions): Promise<void> {
  const config = await configOf(options);
  const { restoreNode } = await import('@symmetra/node');
  const content = new Uint8Array(await readFile(options.from));
  const { address, operator } = options;
  const { node, file, nkey } = await withSeal(options, missing, async (seal) =>
    restoreNode(config, content, seal, {
      random: draw,
      ...(address !== undefined && { addresses: address }),
      ...(operator !== undefined && { operator }),
    }),
  );
  invocation.output.result(
    { node: node.id, addresses: node.addresses, operator: node.operator, nkey, descriptionFile: file },
    [
      `${node.id} of ${node.operator}, at ${node.addresses.join(', ')}, with new keys`,
      `have the root name them: symmetra network replace-node --network FILE --node ${file} --push`,
    ],
  );
}

/** Does something with what the command line seals a backup under. @param random draws the key of a file that is not there */
async function withSeal<Result>(
  { passphraseFile, keyFile }: SealOptions,
  random: (length: number) => Uint8Array,
  action: (seal: BackupSeal) => Promise<Result>,
): Promise<Result> {
  if ((passphraseFile === undefined) === (keyFile === undefined)) {
    throw new UsageError('a backup is sealed under a --passphrase-file, or else a --key-file');
  }
  if (keyFile === undefined) {
    return action({ kind: 'passphrase', passphrase: await readPassphrase(passphraseFile ?? '') });
  }
  const key = await masterKeyFile(keyFile, random);
  try {
    return await action({ kind: 'key', key });
  } finally {
    key.wipe();
  }
}

function draw(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}

function missing(): never {
  throw new SymmetraError('KEY_FILE_MISSING', 'the key file of the backup is not there');
}
