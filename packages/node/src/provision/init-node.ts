import type { RandomBytes } from '@symmetra/entropy';
import type { NodeConfig } from '@symmetra/runtime/configuration';
import { describeIdentity, loadIdentity, wipeIdentity } from '../identity/node-identity.js';
import { writeNodeDescription } from './node-description.js';
import type { NodeDescription } from './node-description.js';
import { makeDataDirectory, nkeyOf, nodeFiles } from './node-files.js';
import { openNodeStore } from './node-store.js';

/** What a node's description says beside its keys. */
export interface InitOptions {
  /** host:port, where devices and administrators reach it. */
  readonly addresses: readonly string[];
  /** Who runs it. */
  readonly operator: string;
  readonly random: RandomBytes;
}

/** A node's description, and where it lies. */
export interface InitialisedNode extends NodeDescription {
  readonly file: string;
}

/**
 * Gives a node its identity, its master key and its NATS key, unless it has them, and writes its public description to
 * `node.json` in its directory. The node must not run.
 * @returns the description and where it lies
 * @throws NODE_DIFFERS when the store belongs to another node, STORE_BUSY, and what storage throws
 */
export async function initNode(
  config: NodeConfig,
  { addresses, operator, random }: InitOptions,
): Promise<InitialisedNode> {
  await makeDataDirectory(config);
  const { store, ...opened } = await openNodeStore(config, random);
  try {
    const identity = await loadIdentity(store, config.node, random);
    const description = { node: describeIdentity(identity, addresses, operator), nkey: await nkeyOf(config) };
    wipeIdentity(identity);
    const file = nodeFiles(config).description;
    await writeNodeDescription(file, description);
    return { ...description, file };
  } finally {
    await opened.close();
  }
}
