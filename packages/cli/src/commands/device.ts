import type { Device } from '@symmetra/sdk';
import type { Command } from 'commander';
import { addCommand, addGroup, option, required } from '../command.js';
import { ask, openOptions, stateOptions, suiteOption } from '../device/state.js';
import type { StateOptions } from '../device/state.js';
import type { Invocation } from '../invocation.js';
import { columns } from '../output.js';
import { readToken } from '../secret-input.js';
import { deviceId, name } from '../values.js';
import { addListenCommand } from './device-listen.js';

interface EnrolOptions extends StateOptions {
  readonly token: string;
  readonly name?: string;
}

interface RatchetOptions extends StateOptions {
  readonly stage?: string;
}

interface ForgetOptions extends StateOptions {
  readonly peer: string;
}

/** Where a device stands. */
interface Status {
  readonly deviceId: string;
  readonly name: string;
  readonly stage: string;
  readonly epochs: Readonly<Record<string, number>>;
  readonly home: string | null;
  readonly warnings: readonly string[];
  readonly code?: string;
}

/** Milliseconds for the nodes that are not needed for the device to be enrolled. */
const REST_MS = 3000;
const REST_CHECK_MS = 50;

export function addDeviceCommands(program: Command, invocation: Invocation): void {
  const device = addGroup(program, 'device', 'a device of the network');
  addCommand<EnrolOptions>(device, invocation, {
    name: 'enrol',
    summary: 'enrol a new device with a token',
    details:
      'Enrols with every node that answers, at least with the threshold, and replaces the bootstrap keys at once. ' +
      'Cut short, the same command goes on where it stood. The state directory is made, 0700; with ' +
      '--passphrase-file it is sealed.',
    options: [
      required(
        option('--token <token>', 'the token, @FILE that holds it, or - to read it from standard input'),
      ),
      ...stateOptions(),
      option('--name <name>', 'a name for people', name),
      suiteOption(),
    ],
    examples: [
      'symmetra device enrol --token smt1_... --state alice --name alice',
      'symmetra device enrol --token @token.txt --state alice --passphrase-file phrase.txt',
      'symmetra token create --data .symmetra | symmetra device enrol --token - --state alice',
    ],
    run: enrol,
  });
  addCommand<StateOptions>(device, invocation, {
    name: 'status',
    summary: 'show where a device stands',
    options: stateOptions(),
    examples: ['symmetra device status --state alice', 'symmetra device status --state alice --json'],
    run: status,
  });
  addCommand<RatchetOptions>(device, invocation, {
    name: 'ratchet',
    summary: 'replace the authentication keys of a device at every node',
    options: [
      ...stateOptions(),
      option('--stage <name>', 'ask for the next stage of the workflow', name),
      suiteOption(),
    ],
    examples: ['symmetra device ratchet --state alice', 'symmetra device ratchet --state alice --suite 2'],
    run: ratchet,
  });
  addListenCommand(device, invocation);
  addCommand<ForgetOptions>(device, invocation, {
    name: 'forget',
    summary: 'drop all keys with a peer; the next one is a first contact',
    details:
      'For a peer that was set up anew: a device that remembers a peer never completes a key that does not ' +
      'continue what both remember, unless its user says so. This command says so.',
    options: [...stateOptions(), required(option('--peer <id>', 'the device id of the peer', deviceId))],
    examples: ['symmetra device forget --state alice --peer ID-OF-BOB'],
    run: forget,
  });
}

async function enrol(invocation: Invocation, options: EnrolOptions): Promise<void> {
  const token = await readToken(options.token, invocation.input);
  const ending = new AbortController();
  invocation.onEnd('enrolment', () => ending.abort());
  invocation.output.progress('enrolling');
  const sdk = await import('@symmetra/sdk');
  const device = await sdk.enrol({
    ...(await openOptions(invocation, options)),
    token,
    ...(options.name !== undefined && { name: options.name }),
    signal: ending.signal,
  });
  invocation.onEnd('device', async () => device.close());
  await restEnrolled(invocation, device);
  tell(invocation, device.status(), 'enrolled');
}

/** Enough nodes are done; the others get a moment, so that nothing is left for the next command. */
async function restEnrolled({ clock }: Invocation, device: Device): Promise<void> {
  const deadline = clock.monotonic() + REST_MS;
  while (device.status().warnings.length > 0 && clock.monotonic() < deadline) {
    await new Promise<void>((resolve) => {
      clock.setTimer(REST_CHECK_MS, resolve);
    });
  }
}

async function status(invocation: Invocation, options: StateOptions): Promise<void> {
  const { reply } = await ask<Status>(invocation, options, 'status', {});
  tell(invocation, reply);
}

async function ratchet(invocation: Invocation, options: RatchetOptions): Promise<void> {
  const { stage, suite } = options;
  const { reply } = await ask<Status>(invocation, options, 'ratchet', { stage, suite });
  tell(invocation, reply, 'new keys at every node that answered');
}

async function forget(invocation: Invocation, options: ForgetOptions): Promise<void> {
  await ask(invocation, options, 'forget', { peer: options.peer });
  invocation.output.result({ peer: options.peer, forgotten: true }, [
    `forgot ${options.peer}: the next key with it is a first contact`,
  ]);
}

function tell({ output }: Invocation, found: Status, outcome?: string): void {
  output.result(found, [
    ...(outcome === undefined ? [] : [outcome]),
    `${found.name === '' ? 'device' : found.name} ${found.deviceId}`,
    `  stage ${found.stage}, home ${found.home ?? '(not connected)'}`,
    ...columns(Object.entries(found.epochs).map(([node, epoch]) => [`  ${node}`, `epoch ${epoch}`])),
    ...(found.code === undefined ? [] : [`  code ${found.code}`]),
    ...found.warnings.map((warning) => `  warning: ${warning}`),
  ]);
}
