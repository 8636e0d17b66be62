import { createLogger, systemClock } from '@symmetra/runtime';
import { ENDING_SIGNALS, EXIT, exitCodeOf, failureOf } from './exit.js';
import { Invocation } from './invocation.js';
import { Output } from './output.js';
import { runProgram } from './program.js';

/*
 * The process around a command: signals, closed pipes, the end of everything that the command began. A second
 * signal ends the process at once.
 */

const args = process.argv.slice(2);
const beforeOperands = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
const output = new Output(beforeOperands.includes('--json'), process.stdout, process.stderr);
const logger = createLogger({ level: 'silent', clock: systemClock });
const invocation = new Invocation(output, systemClock, logger);

const interrupted = new Promise<number>((resolve) => {
  for (const signal of ENDING_SIGNALS) {
    let count = 0;
    process.on(signal, () => {
      count += 1;
      if (count > 1) process.exit(exitCodeOf(signal));
      invocation.interrupt();
      resolve(invocation.staysUp ? EXIT.done : exitCodeOf(signal));
    });
  }
  // A program that started this one with a channel has gone, by whatever death: nobody else would end it.
  if (process.connected) {
    process.on('disconnect', () => {
      invocation.interrupt();
      resolve(EXIT.done);
    });
  }
  // Whoever read the output has gone: nothing is left to be told.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      invocation.interrupt();
      resolve(EXIT.done);
    });
  }
});

// What fails where nobody waits for it: the state on disk is whole at every moment, this process is not.
process.on('uncaughtException', (error) => {
  output.failure(failureOf(error));
  process.exit(EXIT.failed);
});

const code = await Promise.race([runProgram(invocation, args, process.stdout), interrupted]).catch(
  (error: unknown) => {
    output.failure(failureOf(error));
    return EXIT.failed;
  },
);
const unfinished = await invocation.end();
if (unfinished.length > 0) {
  output.warning({ code: 'NOT_ENDED', message: `did not end cleanly: ${unfinished.join(', ')}` });
}
process.exit(code);
