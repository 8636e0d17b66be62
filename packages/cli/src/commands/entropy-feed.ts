import { KERNEL_MAX_BYTES } from '@symmetra/hardware';
import type { Command } from 'commander';
import { addCommand, option } from '../command.js';
import { DEFAULT_FEED_BYTES, runFeed } from '../entropy/feed.js';
import type { FeedOptions, OpenDraw } from '../entropy/feed.js';
import { sourcesOption } from '../entropy/generator.js';
import type { Invocation } from '../invocation.js';
import { path, positiveDuration, wholeNumber } from '../values.js';

export function addEntropyFeed(entropy: Command, invocation: Invocation, openDraw: OpenDraw): void {
  addCommand<FeedOptions>(entropy, invocation, {
    name: 'feed',
    summary: 'feed the random number generator of this host, or a FIFO',
    details:
      '--kernel mixes random bytes into the pool of the Linux kernel and lets its generator take new seeds at ' +
      'once, so that every program on this host draws from them; it needs CAP_SYS_ADMIN. By default the kernel ' +
      'counts no entropy for them: mixing them in can never hurt, counting them can.\n\n' +
      '--fifo writes random bytes into a FIFO as fast as its reader takes them. A FIFO that is not there is made ' +
      'for this user only, and removed at the end.\n\n' +
      'Runs until SIGINT or SIGTERM, which ends it with exit code 0, unless --once is given. Prints one line per ' +
      'event: fed, and for a FIFO ready, reader, reader-gone.',
    options: [
      option('--fifo <path>', 'feed this FIFO', path),
      option('--kernel', 'feed the kernel of this host'),
      option(
        '--bytes <count>',
        `with --kernel: how many bytes at a time (default: ${DEFAULT_FEED_BYTES})`,
        wholeNumber(1, KERNEL_MAX_BYTES),
      ),
      option('--interval <duration>', 'with --kernel: how often (default: 1m)', positiveDuration),
      option('--once', 'with --kernel: one time, then end'),
      option(
        '--credit-bits <count>',
        'with --kernel: the entropy that the kernel is to count each time; it does so only until its generator is ' +
          'seeded for the first time (default: 0)',
        wholeNumber(0, 8 * KERNEL_MAX_BYTES),
      ),
      sourcesOption(),
    ],
    examples: [
      'symmetra entropy feed --kernel --once',
      'symmetra entropy feed --kernel --bytes 512 --interval 30s --json',
      'symmetra entropy feed --fifo /run/symmetra/random',
    ],
    run: async (started, options) => runFeed(started, options, openDraw),
  });
}
