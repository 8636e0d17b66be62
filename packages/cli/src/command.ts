import { Option } from 'commander';
import type { Command } from 'commander';
import type { Invocation } from './invocation.js';

/** A command of the program: its words, its options, an example of each use, and what it does. */
export interface CommandSpec<Options> {
  readonly name: string;
  /** Positional arguments as commander writes them, for example `<file>`. */
  readonly args?: string;
  /** One line in the list of commands. */
  readonly summary: string;
  /** What stands in its own help, when there is more to say. */
  readonly details?: string;
  readonly options: readonly Option[];
  /** Complete command lines. */
  readonly examples: readonly string[];
  run(invocation: Invocation, options: Options, args: readonly string[]): Promise<void>;
}

/** Adds a command below `parent`. Every command takes `--json`. */
export function addCommand<Options>(
  parent: Command,
  invocation: Invocation,
  spec: CommandSpec<Options>,
): void {
  const command = parent
    .command(spec.args === undefined ? spec.name : `${spec.name} ${spec.args}`)
    .summary(spec.summary)
    .description(spec.details === undefined ? spec.summary : `${spec.summary}\n\n${spec.details}`);
  for (const one of spec.options) command.addOption(one);
  command
    .option('--json', 'write JSON for programs instead of sentences for people')
    .addHelpText('after', `\nExamples:\n${spec.examples.map((line) => `  $ ${line}`).join('\n')}`)
    .action(async () => spec.run(invocation, command.opts<Options & object>(), command.args));
}

/** Adds a group of commands, such as `device`. */
export function addGroup(parent: Command, name: string, summary: string): Command {
  return parent.command(name).summary(summary).description(summary);
}

/** An option, with its parser where its value is more than text. */
export function option<Value>(
  flags: string,
  description: string,
  parse?: (text: string, previous: Value | undefined) => Value,
): Option {
  const made = new Option(flags, description);
  if (parse !== undefined) made.argParser(parse);
  return made;
}

/** An option that can not be left out. */
export function required(made: Option): Option {
  return made.makeOptionMandatory();
}
