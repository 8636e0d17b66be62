import type { GroupInfo } from '@symmetra/sdk';
import type { Command } from 'commander';
import { addCommand, option, required } from '../command.js';
import { memberOptions, readMembers } from '../device/group-members.js';
import type { MemberOptions } from '../device/group-members.js';
import { groupFields, groupRow, groupSentences } from '../device/group-record.js';
import { ask, stateOptions, suiteOption } from '../device/state.js';
import type { StateOptions } from '../device/state.js';
import type { Invocation } from '../invocation.js';
import { requireFree } from '../output-file.js';
import { columns } from '../output.js';
import { deviceIdList, groupId, name, path, positiveDuration, wholeNumber } from '../values.js';
import { addGroupListenCommand } from './group-listen.js';
import { addGroupSendCommand } from './group-send.js';

interface CreateOptions extends StateOptions, MemberOptions {
  readonly managers?: readonly string[];
  readonly purpose?: string;
  readonly rotateEvery?: number;
  readonly uses?: number;
  readonly length?: number;
  readonly out?: string;
}

interface GroupOptions extends StateOptions {
  readonly group: string;
}

interface ChangeOptions extends GroupOptions, MemberOptions {}

interface ShowOptions extends GroupOptions {
  readonly out?: string;
}

const MIN_KEY_LENGTH = 16;
const MAX_KEY_LENGTH = 64;
const MAX_USES = 2 ** 32 - 1;

export function addGroupCommands(group: Command, invocation: Invocation): void {
  const ofGroup = () => [
    ...stateOptions(),
    required(option('--group <id>', 'the id of the group, 32 hexadecimal digits', groupId)),
  ];
  addCommand<CreateOptions>(group, invocation, {
    name: 'create',
    summary: 'make a group of devices that hold one key',
    details:
      'This device is a member and a manager. Prints the fingerprint of the first epoch, which every member sees ' +
      'too; the key itself is printed never. With --out it is written as raw bytes to a new file (0600). Members ' +
      'get the key when they are connected: `symmetra group listen` or `symmetra device listen`.',
    options: [
      ...stateOptions(),
      ...memberOptions(),
      option(
        '--managers <ids>',
        'members that may add, remove and rotate too, in the order in which they stand in',
        deviceIdList,
      ),
      option('--purpose <name>', 'what the group is for (default: application)', name),
      option('--rotate-every <duration>', 'how long until the next epoch (default: 1h)', positiveDuration),
      option(
        '--uses <count>',
        'how many messages a member may send in an epoch (default: without limit)',
        wholeNumber(1, MAX_USES),
      ),
      option(
        '--length <bytes>',
        'the length of the key, 16 to 64 bytes (default: 32)',
        wholeNumber(MIN_KEY_LENGTH, MAX_KEY_LENGTH),
      ),
      suiteOption(),
      option('--out <file>', 'write the key to a new file, raw bytes, 0600', path),
    ],
    examples: [
      'symmetra group create --state alice --members ID-OF-BOB,ID-OF-CAROL',
      'symmetra group create --state alice --members-file fleet.txt --managers ID-OF-BOB --rotate-every 15m',
    ],
    run: create,
  });
  addCommand<ChangeOptions>(group, invocation, {
    name: 'add',
    summary: 'take devices into a group; they get no earlier key',
    options: [...ofGroup(), ...memberOptions()],
    examples: ['symmetra group add --state alice --group GROUP --members ID-OF-DAVE'],
    run: async (run, options) => change(run, options, 'group.add'),
  });
  addCommand<ChangeOptions>(group, invocation, {
    name: 'remove',
    summary: 'put devices out of a group; they get no later key',
    options: [...ofGroup(), ...memberOptions()],
    examples: ['symmetra group remove --state alice --group GROUP --members ID-OF-DAVE'],
    run: async (run, options) => change(run, options, 'group.remove'),
  });
  addCommand<GroupOptions>(group, invocation, {
    name: 'rotate',
    summary: 'give a group another key now',
    details: 'Groups rotate by themselves too, as often as --rotate-every of their creation says.',
    options: ofGroup(),
    examples: ['symmetra group rotate --state alice --group GROUP'],
    run: rotate,
  });
  addCommand<GroupOptions>(group, invocation, {
    name: 'leave',
    summary: 'leave a group and erase its keys here',
    options: ofGroup(),
    examples: ['symmetra group leave --state bob --group GROUP'],
    run: leave,
  });
  addCommand<StateOptions>(group, invocation, {
    name: 'list',
    summary: 'list the groups of a device',
    options: stateOptions(),
    examples: ['symmetra group list --state alice', 'symmetra group list --state alice --json'],
    run: list,
  });
  addCommand<ShowOptions>(group, invocation, {
    name: 'show',
    summary: 'show what a device knows of a group',
    details: 'With --out the key of the newest epoch is written as raw bytes to a new file (0600).',
    options: [...ofGroup(), option('--out <file>', 'write the key to a new file, raw bytes, 0600', path)],
    examples: [
      'symmetra group show --state bob --group GROUP',
      'symmetra group show --state bob --group GROUP --out group.key',
    ],
    run: show,
  });
  addGroupSendCommand(group, invocation);
  addGroupListenCommand(group, invocation);
}

async function create(invocation: Invocation, options: CreateOptions): Promise<void> {
  const { managers, purpose, rotateEvery, uses, suite, out } = options;
  if (out !== undefined) await requireFree(out);
  const params = {
    members: await readMembers(options),
    managers,
    purpose,
    rotateEvery,
    uses,
    keyLength: options.length,
    suite,
    out,
  };
  const { reply, ms } = await ask<GroupInfo>(invocation, options, 'group.create', params, 'connected');
  tellGroup(invocation, reply, { ms, ...(out !== undefined && { out }) });
}

async function change(
  invocation: Invocation,
  options: ChangeOptions,
  method: 'group.add' | 'group.remove',
): Promise<void> {
  const params = { groupId: options.group, members: await readMembers(options) };
  const { reply, ms } = await ask<GroupInfo>(invocation, options, method, params, 'connected');
  tellGroup(invocation, reply, { ms });
}

async function rotate(invocation: Invocation, options: GroupOptions): Promise<void> {
  const params = { groupId: options.group };
  const { reply, ms } = await ask<GroupInfo>(invocation, options, 'group.rotate', params, 'connected');
  tellGroup(invocation, reply, { ms });
}

async function leave(invocation: Invocation, options: GroupOptions): Promise<void> {
  const params = { groupId: options.group };
  const { reply, ms } = await ask<Partial<GroupInfo>>(
    invocation,
    options,
    'group.leave',
    params,
    'connected',
  );
  const { epoch, epochId, members, fingerprint } = reply;
  const last = { groupId: options.group, epoch, epochId, members, fingerprint };
  invocation.output.result({ ...last, left: true, ms }, [
    `left group ${options.group}; its keys are erased here`,
  ]);
}

async function list(invocation: Invocation, options: StateOptions): Promise<void> {
  const { reply } = await ask<{ readonly groups: readonly GroupInfo[] }>(
    invocation,
    options,
    'group.list',
    {},
  );
  invocation.output.result({ groups: reply.groups.map(groupFields) }, [
    ...columns(reply.groups.map(groupRow)),
    `${reply.groups.length} group(s)`,
  ]);
}

async function show(invocation: Invocation, options: ShowOptions): Promise<void> {
  const { group, out } = options;
  if (out !== undefined) await requireFree(out);
  const { reply } = await ask<GroupInfo>(invocation, options, 'group.show', { groupId: group, out });
  tellGroup(invocation, reply, { ...(out !== undefined && { out }) });
}

/** Tells a group, and what was done. */
function tellGroup(
  { output }: Invocation,
  group: GroupInfo,
  more: { readonly ms?: number; readonly out?: string },
): void {
  output.result({ ...groupFields(group), ...more }, [
    ...groupSentences(group),
    ...(more.out === undefined ? [] : [`  the key is in ${more.out}`]),
  ]);
}
