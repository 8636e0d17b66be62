import { receiveFile } from '@symmetra/sdk';
import type { Device, KeyInfo, SecureChannel } from '@symmetra/sdk';
import { failureOf } from '../exit.js';
import { grouped } from '../output.js';
import type { Output } from '../output.js';
import { tellGroupEvents } from './group-events.js';

/** An event of a device as programs read it. */
interface Told {
  readonly event: string;
  readonly [field: string]: unknown;
}

/**
 * Tells what happens to a device, one line per event.
 * @param inbox where files go; without it, they are refused.
 */
export function tellEvents(device: Device, output: Output, inbox: string | undefined): void {
  const tell = (value: Told, sentence: string): void => output.event(value, sentence);

  device.on('key', (key) =>
    tell(keyEvent('key', key), `key ${key.keyId} with ${key.peer}: fingerprint ${grouped(key.fingerprint)}`),
  );
  device.on('renewed', ({ keyId, key }) =>
    tell({ ...keyEvent('renewed', key), former: keyId }, `key ${key.keyId} took the place of ${keyId}`),
  );
  device.on('expired', (key) => tell(keyEvent('expired', key), `key ${key.keyId} with ${key.peer} is over`));
  device.on('revoked', ({ device: revoked, keyIds, reason }) => {
    const peer = revoked === undefined ? {} : { peer: revoked };
    const keyId = keyIds.length === 1 ? { keyId: keyIds[0] } : {};
    const what = revoked === undefined ? `key ${keyIds.join(', ')}` : `device ${revoked}`;
    tell(
      { event: 'revoked', ...peer, ...keyId, keyIds, reason },
      `${what} was revoked; ${keyIds.length} key(s) erased`,
    );
  });
  device.on('report', (report) =>
    tell(
      { event: 'report', ...report },
      `reported ${report.node} to the administrators: ${report.reason} for key ${report.keyId}`,
    ),
  );
  device.on('network', ({ version, added, removed }) =>
    tell(
      { event: 'network', version, added, removed },
      `descriptor ${version} is in force: new nodes ${named(added)}, nodes that are gone ${named(removed)}`,
    ),
  );
  device.on('warning', ({ code, message }) =>
    tell({ event: 'warning', code, message }, `warning: ${code}: ${message}`),
  );
  tellGroupEvents(device, output);
  device.on('channel', (channel) => void takeFile(device, channel, inbox, tell));
}

function named(nodes: readonly string[]): string {
  return nodes.length === 0 ? 'none' : nodes.join(', ');
}

function keyEvent(event: string, key: KeyInfo): Told {
  const { keyId, peer, fingerprint, ...rest } = key;
  return { event, keyId, peer, fingerprint, ...rest };
}

/** A channel that a peer opens to `symmetra device listen` brings one file. */
async function takeFile(
  device: Device,
  channel: SecureChannel,
  inbox: string | undefined,
  tell: (value: Told, sentence: string) => void,
): Promise<void> {
  const { keyId, peer } = channel;
  const { fingerprint = '' } = device.keys().find((key) => key.keyId === keyId) ?? {};
  try {
    const { name, size, sha256, path } = await receiveFile(channel, inbox);
    tell(
      { event: 'file', keyId, peer, fingerprint, name, size, sha256, path },
      `file ${path} from ${peer}: ${size} bytes`,
    );
  } catch (error) {
    const { code, message } = failureOf(error);
    tell(
      { event: 'warning', code, message, keyId, peer },
      `warning: ${code}: a file of ${peer} was not taken: ${message}`,
    );
  }
}
