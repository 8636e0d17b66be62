import type { Command } from 'commander';
import type { KeyInfo } from '@symmetra/sdk';
import { addCommand, addGroup, option, required } from '../command.js';
import { keyRow, keySentences } from '../device/key-record.js';
import { ask, stateOptions, suiteOption } from '../device/state.js';
import type { Answer, StateOptions } from '../device/state.js';
import type { Invocation } from '../invocation.js';
import { requireFree } from '../output-file.js';
import { columns } from '../output.js';
import {
  deviceId,
  durationOrZero,
  keyId,
  name,
  oneOf,
  path,
  positiveDuration,
  wholeNumber,
} from '../values.js';

interface NegotiateOptions extends StateOptions {
  readonly peer: string;
  readonly purpose?: string;
  readonly out?: string;
  readonly wait?: number;
  readonly length?: number;
  readonly lifetime?: number;
  readonly uses?: number;
  readonly threshold?: 'k' | 'all';
  readonly directKem: boolean;
  readonly relayed?: boolean;
}

interface KeyOptions extends StateOptions {
  readonly key: string;
}

interface PskOptions extends KeyOptions {
  readonly role: 'client' | 'server';
  readonly out: string;
}

/** What the owner answers to a negotiation. */
type Negotiated = KeyInfo | { readonly state: 'pending'; readonly keyId: string };

const DEFAULT_WAIT_MS = 30_000;
const MIN_KEY_LENGTH = 16;
const MAX_KEY_LENGTH = 64;
const MAX_USES = 2 ** 32 - 1;

export function addKeyCommands(program: Command, invocation: Invocation): void {
  const key = addGroup(program, 'key', 'pairwise keys');
  addCommand<NegotiateOptions>(key, invocation, {
    name: 'negotiate',
    summary: 'agree on a key with another device',
    details:
      'Prints the fingerprint, which the peer sees too; the key itself is printed never. With --out it is ' +
      'written as raw bytes to a new file (0600).\n\n' +
      'A peer that is not listening is waited for. When --wait has passed, the key stays pending and the command ' +
      'ends with exit code 0 and "state": "pending"; the process that owns the state (`symmetra device listen`) ' +
      'goes on with it, and the next one does when none runs. A key that is pending is not written to --out.',
    options: [
      ...stateOptions(),
      required(option('--peer <id>', 'the device id of the peer', deviceId)),
      option('--purpose <name>', 'what the key is for (default: application)', name),
      option('--out <file>', 'write the key to a new file, raw bytes, 0600', path),
      option(
        '--wait <duration>',
        'how long to wait for the peer; 0: not at all (default: 30s)',
        durationOrZero,
      ),
      suiteOption(),
      option(
        '--length <bytes>',
        'the length of the key, 16 to 64 bytes (default: 32)',
        wholeNumber(MIN_KEY_LENGTH, MAX_KEY_LENGTH),
      ),
      option('--lifetime <duration>', 'how long the key lives (default: 1d)', positiveDuration),
      option('--uses <count>', 'how often it can be used (default: without limit)', wholeNumber(1, MAX_USES)),
      option(
        '--threshold <nodes>',
        'k: as many nodes as the network asks for; all: every node',
        oneOf(['k', 'all'] as const),
      ),
      option('--no-direct-kem', 'leave out the key exchange between the devices themselves'),
      option('--relayed', 'confirm through the home nodes even when the peer can be reached directly'),
    ],
    examples: [
      'symmetra key negotiate --state alice --peer ID-OF-BOB',
      'symmetra key negotiate --state alice --peer ID-OF-BOB --purpose backup --out backup.key',
      'symmetra key negotiate --state alice --peer ID-OF-BOB --wait 0 --json',
    ],
    run: negotiate,
  });
  addCommand<StateOptions>(key, invocation, {
    name: 'list',
    summary: 'list the keys of a device',
    options: stateOptions(),
    examples: ['symmetra key list --state alice', 'symmetra key list --state alice --json'],
    run: list,
  });
  addCommand<KeyOptions>(key, invocation, {
    name: 'renew',
    summary: 'agree on a fresh key in the place of one',
    options: [...stateOptions(), required(option('--key <id>', 'the id of the key', keyId))],
    examples: ['symmetra key renew --state alice --key KEYID'],
    run: renew,
  });
  addCommand<PskOptions>(key, invocation, {
    name: 'psk',
    summary: 'make a pre-shared key for a TLS peer outside the SDK',
    details:
      'Writes a PSK for one TLS 1.3 connection (psk_dhe_ke) to a new file, raw bytes, 0600, and prints the ' +
      'identity that goes with it. The peer makes the same one with the other role. Each use gives another PSK.',
    options: [
      ...stateOptions(),
      required(option('--key <id>', 'the id of the key', keyId)),
      required(
        option(
          '--role <role>',
          'client or server, in the TLS connection',
          oneOf(['client', 'server'] as const),
        ),
      ),
      required(option('--out <file>', 'where the PSK goes: a new file', path)),
    ],
    examples: ['symmetra key psk --state alice --key KEYID --role client --out psk.bin'],
    run: psk,
  });
}

async function negotiate(invocation: Invocation, options: NegotiateOptions): Promise<void> {
  if (options.out !== undefined) await requireFree(options.out);
  const params = {
    peer: options.peer,
    purpose: options.purpose,
    keyLength: options.length,
    lifetime: options.lifetime,
    uses: options.uses,
    suite: options.suite,
    threshold: options.threshold,
    directKem: options.directKem ? undefined : false,
    direct: options.relayed === true ? false : undefined,
    wait: options.wait ?? DEFAULT_WAIT_MS,
    out: options.out,
  };
  const answer = await ask<Negotiated>(invocation, options, 'negotiate', params, 'connected');
  const { out } = options;
  tellKey(invocation, options, answer, out === undefined ? {} : { out });
}

/** Tells the outcome of a negotiation. */
function tellKey(
  { output }: Invocation,
  { state }: StateOptions,
  { reply, owned, ms }: Answer<Negotiated>,
  more: { readonly out?: string; readonly renewed?: string },
): void {
  if (!('fingerprint' in reply)) {
    output.result({ ...reply, state: 'pending', ms }, [
      `key ${reply.keyId} is pending: the peer has not answered yet`,
      owned
        ? `it goes on when the device listens: symmetra device listen --state ${state}`
        : 'the process that owns the state goes on with it',
    ]);
    return;
  }
  const { keyId: id, fingerprint, nodes, direct, ...rest } = reply;
  output.result({ keyId: id, fingerprint, nodes, ms, direct, ...rest, ...more }, [
    ...keySentences(reply, ms),
    ...(more.out === undefined ? [] : [`  written to ${more.out}`]),
  ]);
}

async function list(invocation: Invocation, options: StateOptions): Promise<void> {
  const { reply } = await ask<{ readonly keys: readonly KeyInfo[] }>(invocation, options, 'keys', {});
  invocation.output.result({ keys: reply.keys }, [
    ...columns(reply.keys.map(keyRow)),
    `${reply.keys.length} key(s)`,
  ]);
}

async function renew(invocation: Invocation, options: KeyOptions): Promise<void> {
  const answer = await ask<Negotiated>(invocation, options, 'renew', { keyId: options.key }, 'connected');
  tellKey(invocation, options, answer, { renewed: options.key });
}

async function psk(invocation: Invocation, options: PskOptions): Promise<void> {
  await requireFree(options.out);
  const { reply } = await ask<{ readonly identity: string }>(invocation, options, 'psk', {
    keyId: options.key,
    role: options.role,
    out: options.out,
  });
  invocation.output.result(
    { identity: reply.identity, keyId: options.key, role: options.role, out: options.out },
    [`identity ${reply.identity}`, `the PSK is in ${options.out}`],
  );
}
