import { Invocation, Output, runProgram } from '@symmetra/cli';
import { createLogger, systemClock } from '@symmetra/runtime';
import { refusalIn, replyIn } from './cli-outcome.js';
import type { Outcome, Refused, Report } from './cli-outcome.js';

/*
 * The commands of `symmetra` in the process of the test, for a fifth of the time that a process of their own takes:
 * where a test is about what a command does. Processes, signals and the bundle are those of `cli-program.ts`.
 */

const logger = createLogger({ level: 'silent', clock: systemClock });

interface RunOptions {
  /** What stands on standard input. */
  readonly input?: string;
}

/** Runs a command to its end. */
export async function symmetra(args: readonly string[], { input = '' }: RunOptions = {}): Promise<Outcome> {
  const written = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    write(text: string) {
      written[name] += text;
    },
  });
  async function* standardInput(): AsyncGenerator<Buffer> {
    if (input !== '') yield Buffer.from(input);
  }
  const output = new Output(args.includes('--json'), sink('out'), sink('err'));
  const invocation = new Invocation(output, systemClock, logger, standardInput);
  const code = await runProgram(invocation, args, sink('out'));
  const unfinished = await invocation.end();
  if (unfinished.length > 0) throw new Error(`${args.join(' ')} did not end: ${unfinished.join(', ')}`);
  return { code, signal: null, stdout: written.out, stderr: written.err };
}

/** Runs a command with `--json` that must succeed, and gives the one object that it prints. */
export async function reply(args: readonly string[], options: RunOptions = {}): Promise<Report> {
  return replyIn(await symmetra([...args, '--json'], options), args);
}

/** Runs a command with `--json` that must not succeed. */
export async function refusal(args: readonly string[], options: RunOptions = {}): Promise<Refused> {
  return refusalIn(await symmetra([...args, '--json'], options));
}
