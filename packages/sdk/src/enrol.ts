import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import { decodeToken, deviceIdOf, nodeTokenSecret, tokenIdOf } from '@symmetra/protocol';
import type { EnrolmentToken } from '@symmetra/protocol';
import type { Assembly } from './assembly.js';
import { Device } from './device.js';
import { layFoundation } from './foundation.js';
import type { DeviceOptions, Foundation } from './foundation.js';
import { beginWork } from './open-device.js';
import { systemPorts } from './ports.js';
import type { DeviceRandomness } from './randomness.js';
import type { DeviceRecord } from './state/records.js';

const DEFAULT_SUITE = 1;
const MAX_NAME_BYTES = 64;
const NONCE_BYTES = 32;

/** How a device is enrolled. */
export interface EnrolOptions extends DeviceOptions {
  /** The line that the administrator's tool printed. */
  readonly token: string;
  /** For people; at most 64 bytes. */
  readonly name?: string;
  /** Gives the enrolment up; the same call goes on where it stood. */
  readonly signal?: AbortSignal;
}

/**
 * Enrols a device with every node of the network (ENR-1 to ENR-8), and takes its first ratchet step at each. Fulfilled
 * when as many nodes are done as a key needs; the rest follow in the background, and after restarts. When it fails or
 * the process ends, the same call goes on where it stood.
 * @throws TOKEN_MALFORMED, TOKEN_UNKNOWN, TOKEN_SPENT, TOKEN_EXPIRED, TOKEN_CONTESTED, STATE_TAKEN, STATE_IN_USE,
 *   STATE_INCOMPLETE, STATE_VERSION, WRONG_PASSPHRASE, ROOT_MISMATCH, WRONG_NETWORK, SUITE_UNKNOWN, SUITE_FORBIDDEN,
 *   NODE_UNREACHABLE, DISK_FULL, BAD_OPTION, ENROLMENT_ABORTED
 */
export async function enrol(options: EnrolOptions, ports = systemPorts): Promise<Device> {
  const token = decodeToken(options.token);
  checkName(options.name ?? '');
  const foundation = await layFoundation(options, ports, true);
  let built: { readonly device: Device; readonly parts: Assembly } | undefined;
  try {
    const stored = await storedRecord(foundation, token);
    const record = stored ?? newRecord(token, options, foundation.random);
    built = await Device.build(foundation, record, options);
    const { device, parts } = built;
    if (stored === undefined) await makeOffers(parts, token, options.suite);
    await beginWork(device, parts);
    await untilEnough(parts, options.signal);
    return device;
  } catch (error) {
    await (built === undefined ? foundation.directory.close() : built.device.close());
    throw error;
  } finally {
    token.secret.wipe();
  }
}

/**
 * The record of an enrolment with this token that was begun before. One with another token that came to nothing is
 * cleared away.
 * @throws STATE_TAKEN when the state belongs to a device that is enrolled with another token
 */
async function storedRecord({ state }: Foundation, token: EnrolmentToken): Promise<DeviceRecord | undefined> {
  const stored = await state.read<DeviceRecord>('device');
  const tokenId = tokenIdOf(token.networkId, token.secret);
  if (stored !== undefined && equalConstantTime(stored.tokenId, tokenId)) return stored;
  if ((await state.list('chain/')).length > 0) {
    throw new SymmetraError('STATE_TAKEN', 'the state belongs to a device that is enrolled already');
  }
  const begun = await state.list('enrolment/');
  await state.commit(
    ['device', 'descriptor', 'policy', 'clock', ...begun.map(({ name }) => `enrolment/${name}`)].map(
      (key) => ({
        key,
        value: null,
      }),
    ),
  );
  return undefined;
}

function newRecord(token: EnrolmentToken, options: EnrolOptions, random: DeviceRandomness): DeviceRecord {
  const tokenId = tokenIdOf(token.networkId, token.secret);
  const enrolmentNonce = random.bytes(NONCE_BYTES);
  return {
    deviceId: deviceIdOf(tokenId, enrolmentNonce),
    name: options.name ?? '',
    networkId: token.networkId,
    rootKeyHash: token.rootKeyHash,
    tokenId,
    enrolmentNonce,
    suiteId: options.suite ?? DEFAULT_SUITE,
    hints: token.hints,
  };
}

/** ENR-1, ENR-2: the descriptor, and an offer for each node, durable before anything is sent. */
async function makeOffers(
  { descriptors, enrolments, device, policies }: Assembly,
  token: EnrolmentToken,
  suite: number | undefined,
): Promise<void> {
  await descriptors.refresh(token.hints);
  if (suite !== undefined && !policies.suites.includes(suite)) {
    throw new SymmetraError('SUITE_FORBIDDEN', 'the network does not allow this suite', { suite });
  }
  const { networkId, secret } = token;
  await enrolments.begin((nodeId, keyHash) => nodeTokenSecret(networkId, secret, nodeId, keyHash), {
    key: 'device',
    value: device,
  });
}

async function untilEnough({ completion }: Assembly, signal: AbortSignal | undefined): Promise<void> {
  const aborted = (): SymmetraError => new SymmetraError('ENROLMENT_ABORTED', 'the enrolment was given up');
  if (signal?.aborted === true) throw aborted();
  const abort = (): void => completion.close(aborted());
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await completion.enough();
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function checkName(name: string): void {
  if (Buffer.byteLength(name, 'utf8') <= MAX_NAME_BYTES) return;
  throw new SymmetraError('BAD_OPTION', 'the name has at most 64 bytes', { option: 'name' });
}
