import { SymmetraError } from '@symmetra/crypto';
import type { DescriptorNode } from '@symmetra/protocol';
import { readJsonFile, writeJsonFile } from '@symmetra/runtime';
import { JsonObject } from '../json-object.js';
import { nodeFromJson, nodeToJson } from '../network-file.js';

const FORMAT = 'symmetra-node/1';
const NKEY = /^U[A-Z2-7]{55}$/;

/** What a node tells of itself to whoever holds the root of the network: nothing of it is secret. */
export interface NodeDescription {
  /** As the descriptor shall name it. */
  readonly node: DescriptorNode;
  /** By which NATS knows it. */
  readonly nkey: string;
}

/** Writes `node.json`. */
export async function writeNodeDescription(path: string, { node, nkey }: NodeDescription): Promise<void> {
  await writeJsonFile(path, { format: FORMAT, node: nodeToJson(node), nkey });
}

/** @throws NO_SUCH_FILE, FILE_CORRUPT, NODE_FILE_DAMAGED, NO_PERMISSION */
export async function readNodeDescription(path: string): Promise<NodeDescription> {
  const content = await readJsonFile(path);
  if (content === undefined) {
    throw new SymmetraError('NO_SUCH_FILE', `there is no such file: ${path}`, { path });
  }
  const lacks = (field: string): SymmetraError =>
    new SymmetraError('NODE_FILE_DAMAGED', `${path} lacks a valid "${field}"`, { path, field });
  const file = new JsonObject(content, lacks);
  if (file.text('format') !== FORMAT) throw lacks('format');
  const nkey = file.text('nkey');
  if (!NKEY.test(nkey)) throw lacks('nkey');
  try {
    return { node: nodeFromJson(file.object('node')), nkey };
  } catch (error) {
    throw error instanceof SymmetraError && error.code === 'BAD_TEXT' ? lacks('node') : error;
  }
}
