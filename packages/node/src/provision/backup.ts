import { SymmetraError } from '@symmetra/crypto';
import type { RandomBytes } from '@symmetra/entropy';
import { decodeDescriptor, decodeState, descriptorNode, encodeState } from '@symmetra/protocol';
import type { DescriptorNode, SignedDescriptor } from '@symmetra/protocol';
import type { NodeConfig } from '@symmetra/runtime/configuration';
import type { Store } from '@symmetra/storage';
import {
  DESCRIPTOR_ROW,
  CONFLICT_ROWS,
  FORK_ROWS,
  IDENTITY_ROW,
  KEY_ROWS,
  LOG_BASE_ROW,
  LOG_ROWS,
  PAIR_ROWS,
  SNAPSHOT_ROWS,
} from '../rows/row-keys.js';
import { openBackup, sealBackup } from './backup-file.js';
import type { BackupSeal } from './backup-file.js';
import { initNode } from './init-node.js';
import type { InitOptions, InitialisedNode } from './init-node.js';
import { makeDataDirectory } from './node-files.js';
import { openNodeStore } from './node-store.js';

/**
 * CTL-10: what a backup holds. Nothing whose reuse would step back: no keys of the node, no chains, no shares, no secrets
 * of tokens, no groups.
 */
const KEPT = [
  DESCRIPTOR_ROW,
  LOG_ROWS,
  LOG_BASE_ROW,
  SNAPSHOT_ROWS,
  FORK_ROWS,
  CONFLICT_ROWS,
  PAIR_ROWS,
  KEY_ROWS,
];
const PAGE = 128;
const MAX_PIECE_BYTES = 512 * 1024;

interface KeptRow {
  readonly key: string;
  readonly value: Uint8Array;
}

/** A piece of a backup. */
interface Piece {
  readonly rows: readonly KeptRow[];
}

/**
 * CTL-10: a backup of a node, sealed. A node over LMDB must not run meanwhile; one over Redis may.
 * @throws NODE_NOT_MADE, STORE_BUSY, and what the store throws
 */
export async function backupNode(
  config: NodeConfig,
  seal: BackupSeal,
  random: RandomBytes,
): Promise<{ readonly file: Uint8Array; readonly rows: number }> {
  const { store, ...opened } = await openNodeStore(config, random);
  try {
    if ((await store.get(IDENTITY_ROW)) === undefined) {
      throw new SymmetraError('NODE_NOT_MADE', 'the store holds no node', { node: config.node });
    }
    const pieces: Uint8Array[] = [];
    let count = 0;
    for await (const rows of keptRows(store)) {
      pieces.push(encodeState({ rows } satisfies Piece));
      count += rows.length;
    }
    return { file: await sealBackup(pieces, seal, random), rows: count };
  } finally {
    await opened.close();
  }
}

/**
 * CTL-10: makes a node of a backup in an empty data directory. It is a new node with what the old one knew: it draws keys
 * of its own, so that the root has to name it anew, and devices enrol with it anew.
 * @throws NODE_EXISTS when the store holds a node, BACKUP_SEALED, BACKUP_DAMAGED, NODE_UNKNOWN, and what storage throws
 */
export async function restoreNode(
  config: NodeConfig,
  file: Uint8Array,
  seal: BackupSeal,
  { addresses, operator, random }: Partial<InitOptions> & Pick<InitOptions, 'random'>,
): Promise<InitialisedNode> {
  const rows = (await openBackup(file, seal)).flatMap((piece) => decodeState<Piece>(piece).rows);
  const before = nodeIn(rows, config.node);
  await makeDataDirectory(config);
  const { store, ...opened } = await openNodeStore(config, random);
  try {
    if ((await store.get(IDENTITY_ROW)) !== undefined) {
      throw new SymmetraError(
        'NODE_EXISTS',
        'the store holds a node already; a backup goes into an empty one',
        {
          node: config.node,
        },
      );
    }
    for (const row of rows) await store.commit([row]);
  } finally {
    await opened.close();
  }
  return initNode(config, {
    addresses: addresses ?? before.addresses,
    operator: operator ?? before.operator,
    random,
  });
}

/** The node as the descriptor of a backup names it. @throws BACKUP_DAMAGED, NODE_UNKNOWN */
function nodeIn(rows: readonly KeptRow[], id: string): DescriptorNode {
  const row = rows.find(({ key }) => key === DESCRIPTOR_ROW);
  if (row === undefined) throw new SymmetraError('BACKUP_DAMAGED', 'the backup holds no descriptor');
  return descriptorNode(decodeDescriptor(decodeState<SignedDescriptor>(row.value).descriptor), id);
}

/** The rows of a backup, in pieces that are not too long. */
async function* keptRows(store: Store): AsyncGenerator<readonly KeptRow[]> {
  for (const prefix of KEPT) {
    let after = '';
    let rows: KeptRow[] = [];
    let bytes = 0;
    for (;;) {
      const page = await store.scan(prefix, { limit: PAGE, ...(after !== '' && { after }) });
      for (const { key, row } of page) {
        if (bytes + row.value.length > MAX_PIECE_BYTES && rows.length > 0) {
          yield rows;
          [rows, bytes] = [[], 0];
        }
        rows.push({ key, value: row.value });
        bytes += row.value.length;
        after = key;
      }
      if (page.length < PAGE) break;
    }
    if (rows.length > 0) yield rows;
  }
}
