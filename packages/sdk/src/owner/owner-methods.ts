import { SymmetraError } from '@symmetra/crypto';
import type { Device } from '../device.js';
import type { Key, PendingKey } from '../keys/key-info.js';
import type { NegotiateOptions } from '../pairwise/negotiate-options.js';
import { sendFile } from '../transfer/send-file.js';
import { GROUP_METHODS } from './owner-groups.js';
import { badParameter, flag, number, present, required, text } from './owner-parameters.js';
import type { Params } from './owner-parameters.js';
import { writeSecret } from './secret-file.js';

/** The commands that an owner carries out for others. */
const METHODS: Readonly<Record<string, (device: Device, params: Params) => Promise<unknown>>> = {
  status: async (device) => device.status(),
  ratchet: async (device, params) =>
    device.ratchet(present({ stage: text(params, 'stage'), suite: number(params, 'suite') })),
  negotiate,
  keys: async (device) => ({ keys: device.keys() }),
  psk,
  send,
  forget: async (device, params) => {
    await device.forget(required(params, 'peer'));
    return {};
  },
  renew: async (device, params) => shown(await device.renew(required(params, 'keyId'))),
  ...GROUP_METHODS,
};

/** @throws BAD_COMMAND, and what the command throws */
export async function carryOut(device: Device, method: string, params: Params): Promise<unknown> {
  const run = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
  if (run === undefined) throw new SymmetraError('BAD_COMMAND', 'there is no such command', { method });
  return run(device, params);
}

async function negotiate(device: Device, params: Params): Promise<unknown> {
  const out = text(params, 'out');
  const options: NegotiateOptions = present({
    purpose: text(params, 'purpose'),
    keyLength: number(params, 'keyLength'),
    lifetime: number(params, 'lifetime'),
    uses: number(params, 'uses'),
    suite: number(params, 'suite'),
    directKem: flag(params, 'directKem'),
    threshold: threshold(params),
    wait: number(params, 'wait'),
    direct: flag(params, 'direct'),
  });
  const key = await device.negotiate(required(params, 'peer'), options);
  if (out !== undefined && key.state !== 'pending') await writeSecret(out, key.bytes());
  return shown(key);
}

async function psk(device: Device, params: Params): Promise<unknown> {
  const role = required(params, 'role');
  if (role !== 'client' && role !== 'server') throw badParameter('role');
  const out = required(params, 'out');
  const exported = await device.exportPsk(required(params, 'keyId'), role);
  await writeSecret(out, exported.psk);
  return { identity: exported.identity };
}

async function send(device: Device, params: Params): Promise<unknown> {
  const wait = number(params, 'wait');
  const channel = await device.openChannel(required(params, 'peer'), present({ wait }));
  const { keyId } = channel;
  const { fingerprint } = device.keys().find((key) => key.keyId === keyId) ?? { fingerprint: '' };
  return { keyId, fingerprint, ...(await sendFile(channel, required(params, 'file'))) };
}

/** A key without its bytes. */
function shown(key: Key | PendingKey): unknown {
  if (key.state === 'pending') return key;
  return { ...key, bytes: undefined };
}

function threshold(params: Params): 'k' | 'all' | undefined {
  const value = text(params, 'threshold');
  if (value === undefined || value === 'k' || value === 'all') return value;
  throw badParameter('threshold');
}
