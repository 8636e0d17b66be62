import { Command, CommanderError } from 'commander';
import { addGroup } from './command.js';
import { addAdminCommands } from './commands/admin.js';
import { addDeviceCommands } from './commands/device.js';
import { addKeyCommands } from './commands/key.js';
import { addPolicyCommands } from './commands/policy.js';
import { addSendCommand } from './commands/send.js';
import { addTokenCommands } from './commands/token.js';
import { addUpCommand } from './commands/up.js';
import { EXIT, UsageError, failureOf } from './exit.js';
import type { Invocation } from './invocation.js';
import type { TextSink } from './output.js';
import { version } from './version.js';

const DESCRIPTION = `Symmetric keys for any two devices, agreed through independent nodes none of which can know them.

A first network and two devices:
  $ symmetra up
  $ symmetra token create --data .symmetra --uses 2
  $ symmetra device enrol --token TOKEN --state alice --name alice
  $ symmetra device enrol --token TOKEN --state bob --name bob
  $ symmetra device listen --state bob --out received
  $ symmetra key negotiate --state alice --peer ID-OF-BOB`;

const AFTER = `
Every command takes --json. Exit codes: 0 done, 1 refused or failed (one line on standard error begins
with a stable code), 2 wrong usage, 130 or 143 ended by SIGINT or SIGTERM before it was done.`;

/**
 * Runs one command line.
 * @param help where help and version texts go.
 * @returns the exit code. Never rejected.
 */
export async function runProgram(
  invocation: Invocation,
  args: readonly string[],
  help: TextSink,
): Promise<number> {
  const { output } = invocation;
  let usageHelp = '';
  const program = new Command('symmetra')
    .description(DESCRIPTION)
    .version(version(), '--version', 'print the version')
    .addHelpText('after', AFTER)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => help.write(text),
      writeErr: (text) => {
        usageHelp += text;
      },
    });
  addUpCommand(program, invocation);
  addTokenCommands(program, invocation);
  addDeviceCommands(program, invocation);
  addKeyCommands(program, invocation);
  addSendCommand(program, invocation);
  const node = addGroup(program, 'node', 'one node of a network, as a process of its own');
  if (args.includes(node.name())) {
    const { addNodeCommands } = await import('./commands/node.js');
    addNodeCommands(node, invocation);
  }
  const network = addGroup(program, 'network', 'the nodes of a network, by the key of its root');
  if (args.includes(network.name())) {
    const { addNetworkCommands } = await import('./commands/network.js');
    addNetworkCommands(network, invocation);
  }
  const group = addGroup(program, 'group', 'groups of devices that hold one key');
  if (args.includes(group.name())) {
    const { addGroupCommands } = await import('./commands/group.js');
    addGroupCommands(group, invocation);
  }
  const entropy = addGroup(program, 'entropy', 'random sources, what they give, and what tests say of it');
  // What they stand on takes longer to load than most other commands take to run.
  if (args.includes(entropy.name())) {
    const { addEntropyCommands } = await import('./commands/entropy.js');
    addEntropyCommands(entropy, invocation);
  }
  addPolicyCommands(addAdminCommands(program, invocation), invocation);
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    const told = error instanceof CommanderError ? usageOf(error, usageHelp) : error;
    if (told === undefined) return EXIT.done;
    output.failure(failureOf(told));
    return told instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

/** What commander found wrong; undefined when it only printed what it was asked to print. */
function usageOf(error: CommanderError, printed: string): UsageError | undefined {
  if (error.exitCode === 0) return undefined;
  if (error.code === 'commander.help') {
    const [, usage = 'symmetra'] = /Usage: ([^\n]*)/.exec(printed) ?? [];
    return new UsageError(`a command is missing: ${usage}; --help lists them`);
  }
  return new UsageError(`${error.message.replace(/^error: /, '').replace(/\.$/, '')}; --help says more`);
}
