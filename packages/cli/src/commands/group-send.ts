import type { GroupSending } from '@symmetra/sdk';
import type { Command } from 'commander';
import { readAll, readWhole } from '../bounded-input.js';
import { addCommand, option, required } from '../command.js';
import { ask, stateOptions } from '../device/state.js';
import type { StateOptions } from '../device/state.js';
import type { Invocation } from '../invocation.js';
import { groupId, path } from '../values.js';

interface SendOptions extends StateOptions {
  readonly group: string;
  readonly textFile?: string;
}

/** GRP-12: what a node passes on, sealed; the device says how much of it is left for content. */
const MAX_BYTES = 4096;

export function addGroupSendCommand(group: Command, invocation: Invocation): void {
  addCommand<SendOptions>(group, invocation, {
    name: 'send',
    summary: 'send a message to the members of a group that are connected',
    details:
      'The message is sealed under the newest epoch, and the home nodes pass it on; a member that is not connected ' +
      'does not get it. Its content comes from --text-file or from standard input.',
    options: [
      ...stateOptions(),
      required(option('--group <id>', 'the id of the group', groupId)),
      option('--text-file <file>', 'the content of the message; without it, standard input', path),
    ],
    examples: [
      'symmetra group send --state alice --group GROUP < message.txt',
      'symmetra group send --state alice --group GROUP --text-file message.txt',
    ],
    run: send,
  });
}

async function send(invocation: Invocation, options: SendOptions): Promise<void> {
  const content =
    options.textFile === undefined
      ? await readAll(invocation.input(), MAX_BYTES)
      : await readWhole(options.textFile, MAX_BYTES);
  const params = { groupId: options.group, plaintext: content.toString('base64') };
  const { reply, ms } = await ask<GroupSending>(invocation, options, 'group.send', params, 'connected');
  invocation.output.result({ ...reply, bytes: content.length, ms }, [
    `sent ${content.length} bytes to group ${reply.groupId} under epoch ${reply.epoch} in ${ms} ms`,
    `  the home node handed it to ${reply.handedOver} member(s); the others pass it on to theirs`,
  ]);
}
