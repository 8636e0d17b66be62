import { mkdir } from 'node:fs/promises';
import type { Command } from 'commander';
import { addCommand, option } from '../command.js';
import { ownState, stateOptions } from '../device/state.js';
import type { StateOptions } from '../device/state.js';
import type { Invocation } from '../invocation.js';
import { path, port } from '../values.js';

const PRIVATE_DIRECTORY = 0o700;

interface ListenOptions extends StateOptions {
  readonly port?: number;
  readonly host?: string;
  readonly out?: string;
}

export function addListenCommand(device: Command, invocation: Invocation): void {
  addCommand<ListenOptions>(device, invocation, {
    name: 'listen',
    summary: 'keep a device connected: accept keys, channels and files, and tell what happens',
    details:
      'Owns the state until SIGINT or SIGTERM, which ends it with exit code 0; other commands on the same state ' +
      'are carried out by this process. Prints one line per event: listening, key, file, revoked, renewed, ' +
      'expired, report, network (nodes came or went), warning, group (a new epoch of a group), groupMessage, groupDue, ' +
      'groupEnded.\n\n' +
      'Files that peers send go to --out under their own names, never over a file that is there.',
    options: [
      ...stateOptions(),
      option('--port <port>', 'the TCP port for peers; 0: a free one (default: 0)', port),
      option('--host <address>', 'the address to listen on (default: 127.0.0.1)'),
      option('--out <dir>', 'where files go; without it, files are refused', path),
    ],
    examples: [
      'symmetra device listen --state bob --out received',
      'symmetra device listen --state bob --port 9000 --host 192.0.2.7 --json',
    ],
    run: listen,
  });
}

async function listen(invocation: Invocation, options: ListenOptions): Promise<void> {
  const { output } = invocation;
  if (options.out !== undefined) await mkdir(options.out, { recursive: true, mode: PRIVATE_DIRECTORY });
  const device = await ownState(invocation, options, 'warn');
  const { tellEvents } = await import('../device/events.js');
  tellEvents(device, output, options.out);
  const address = await device.listen({
    ...(options.host !== undefined && { host: options.host }),
    ...(options.port !== undefined && { port: options.port }),
  });
  await device.connect();
  const { deviceId, name, stage, home } = device.status();
  output.event(
    { event: 'listening', deviceId, name, stage, home, ...address } as { readonly event: string },
    `${name === '' ? 'device' : name} ${deviceId} listens on ${address.host}:${address.port}, home ${home ?? 'none yet'}`,
  );
  await invocation.untilInterrupted();
}
