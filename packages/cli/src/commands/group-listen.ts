import type { Device } from '@symmetra/sdk';
import type { Command } from 'commander';
import { addCommand, option } from '../command.js';
import { tellGroupEvents } from '../device/group-events.js';
import { ownState, stateOptions } from '../device/state.js';
import type { StateOptions } from '../device/state.js';
import type { Invocation } from '../invocation.js';
import { groupId, wholeNumber } from '../values.js';

interface ListenOptions extends StateOptions {
  readonly group?: string;
  readonly count?: number;
}

const MAX_COUNT = 2 ** 31 - 1;

export function addGroupListenCommand(group: Command, invocation: Invocation): void {
  addCommand<ListenOptions>(group, invocation, {
    name: 'listen',
    summary: 'keep a device in its groups: take new epochs and messages, and tell them',
    details:
      'Owns the state until SIGINT or SIGTERM, which ends it with exit code 0, or until --count messages came; ' +
      'other commands on the same state are carried out by this process. Prints one line per event: listening, ' +
      'group (a new epoch), groupMessage, groupDue, groupEnded. A manager that runs it also rotates on time and ' +
      'removes who left or was revoked.\n\n' +
      '`symmetra device listen` does the same and accepts keys, channels and files as well.',
    options: [
      ...stateOptions(),
      option('--group <id>', 'tell the events of this group only', groupId),
      option('--count <messages>', 'end after so many messages', wholeNumber(1, MAX_COUNT)),
    ],
    examples: [
      'symmetra group listen --state bob',
      'symmetra group listen --state bob --group GROUP --count 1 --json',
    ],
    run: listen,
  });
}

async function listen(invocation: Invocation, options: ListenOptions): Promise<void> {
  const { output } = invocation;
  const device = await ownState(invocation, options, 'warn');
  device.on('warning', (warning) => output.warning(warning));
  tellGroupEvents(device, output, options.group);
  const enough = options.count === undefined ? undefined : messages(device, options.count, options.group);
  await device.connect();
  const { deviceId, name, home } = device.status();
  output.event(
    { event: 'listening', deviceId, name, home } as { readonly event: string },
    `${name === '' ? 'device' : name} ${deviceId} listens to its groups, home ${home ?? 'none yet'}`,
  );
  await (enough ?? invocation.untilInterrupted());
}

/** Fulfilled when so many messages came. */
async function messages(device: Device, count: number, only: string | undefined): Promise<void> {
  let missing = count;
  return new Promise((resolve) => {
    device.on('groupMessage', ({ groupId: of }) => {
      if (only !== undefined && only !== of) return;
      missing -= 1;
      if (missing === 0) resolve();
    });
  });
}
