import { SymmetraError, fromBase64Url, sha256, toBase64Url, toHex } from '@symmetra/crypto';
import { encodeDescriptor, verifyDescriptor } from '@symmetra/protocol';
import type { Descriptor, DescriptorNode, SignedDescriptor } from '@symmetra/protocol';
import { readJsonFile, writeJsonFile } from '@symmetra/runtime';
import { JsonObject } from './json-object.js';

const FORMAT = 'symmetra-network/1';

/** A network's descriptor as its file holds it: the canonical bytes, the root's signature, and what they say. */
export interface NetworkFile extends SignedDescriptor {
  readonly parsed: Descriptor;
}

/** Writes `network.json`: the descriptor in readable form, with the root's key and signature. */
export async function writeNetworkFile(
  path: string,
  { parsed, signature, rootPublicKey }: NetworkFile,
): Promise<void> {
  await writeJsonFile(path, {
    format: FORMAT,
    descriptor: {
      networkId: toHex(parsed.networkId),
      version: parsed.version,
      threshold: parsed.threshold,
      suites: parsed.suites,
      nodes: parsed.nodes.map(nodeToJson),
      administratorThreshold: parsed.administratorThreshold,
      administrators: parsed.administrators.map(toBase64Url),
    },
    signature: toBase64Url(signature),
    rootKey: toBase64Url(rootPublicKey),
  });
}

/**
 * Reads `network.json` and verifies it by the root's key that stands in it: the file is trusted as far as the
 * directory that it lies in.
 * @throws NO_NETWORK when there is no such file, NETWORK_FILE_DAMAGED, BAD_SIGNATURE, BAD_DESCRIPTOR, NO_PERMISSION
 */
export async function readNetworkFile(path: string): Promise<NetworkFile> {
  const file = await findNetworkFile(path);
  if (file !== undefined) return file;
  throw new SymmetraError('NO_NETWORK', 'there is no network here; start one first', { path });
}

/** {@link readNetworkFile}, or undefined when there is no such file. */
export async function findNetworkFile(path: string): Promise<NetworkFile | undefined> {
  const content = await readJsonFile(path);
  if (content === undefined) return undefined;
  const file = new JsonObject(content, (field) => damaged(path, field));
  if (file.text('format') !== FORMAT) throw damaged(path, 'format');
  const parsed = parseDescriptor(file.object('descriptor'));
  const signed: SignedDescriptor = {
    descriptor: encodeDescriptor(parsed),
    signature: file.base64('signature'),
    rootPublicKey: file.base64('rootKey'),
  };
  const { networkId, version } = parsed;
  const rootKeyHash = sha256(signed.rootPublicKey);
  verifyDescriptor(signed, { networkId, rootKeyHash, minimumVersion: version });
  return { ...signed, parsed };
}

function parseDescriptor(json: JsonObject): Descriptor {
  return {
    networkId: json.hex('networkId'),
    version: json.number('version'),
    threshold: json.number('threshold'),
    suites: json.numbers('suites'),
    nodes: json.objects('nodes').map(nodeFromJson),
    administratorThreshold: json.number('administratorThreshold'),
    administrators: json.texts('administrators').map(fromBase64Url),
  };
}

/** A node as the descriptor names it, in readable form. */
export function nodeToJson(node: DescriptorNode): object {
  return {
    id: node.id,
    addresses: node.addresses,
    operator: node.operator,
    signingKey: toBase64Url(node.signingKey),
    kemKeys: node.kemKeys.map(({ suiteId, publicKey }) => ({ suite: suiteId, key: toBase64Url(publicKey) })),
  };
}

/** The reverse of {@link nodeToJson}. @throws what the object's fields throw, BAD_TEXT */
export function nodeFromJson(json: JsonObject): DescriptorNode {
  return {
    id: json.text('id'),
    addresses: json.texts('addresses'),
    operator: json.text('operator'),
    signingKey: json.base64('signingKey'),
    kemKeys: json
      .objects('kemKeys')
      .map((key) => ({ suiteId: key.number('suite'), publicKey: key.base64('key') })),
  };
}

function damaged(path: string, field: string): SymmetraError {
  return new SymmetraError('NETWORK_FILE_DAMAGED', `the network file lacks a valid "${field}"`, {
    path,
    field,
  });
}
