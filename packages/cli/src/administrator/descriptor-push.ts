import { SymmetraError } from '@symmetra/crypto';
import type { DescriptorNode, SignedDescriptor } from '@symmetra/protocol';
import type { NetworkFile } from '@symmetra/node';
import { NodeClient } from '@symmetra/rpc';

/** Whether a node has taken up a descriptor. */
export interface Pushed {
  readonly node: string;
  /** Why it has not. */
  readonly code?: string;
}

/** CTL-2: hands a descriptor to every node that it names, all at once. */
export async function pushDescriptor(network: NetworkFile): Promise<readonly Pushed[]> {
  const { descriptor, signature, rootPublicKey } = network;
  const signed = { descriptor, signature, rootPublicKey };
  return Promise.all(network.parsed.nodes.map(async (node) => pushTo(node, signed)));
}

/** Tries the addresses of a node until one takes it. */
async function pushTo({ id, addresses }: DescriptorNode, signed: SignedDescriptor): Promise<Pushed> {
  let code = 'NODE_UNREACHABLE';
  for (const address of addresses) {
    const client = new NodeClient(address);
    try {
      await client.putDescriptor(signed);
      return { node: id };
    } catch (error) {
      if (!(error instanceof SymmetraError)) throw error;
      ({ code } = error);
    } finally {
      client.close();
    }
  }
  return { node: id, code };
}
