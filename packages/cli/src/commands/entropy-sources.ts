import type { Command } from 'commander';
import { addCommand, option } from '../command.js';
import { openGenerator, sourcesOption } from '../entropy/generator.js';
import type { SourcesOptions } from '../entropy/generator.js';
import { SOURCE_HEADINGS, simulatedNotes, sourceRecord, sourceRow } from '../entropy/source-record.js';
import type { Invocation } from '../invocation.js';
import { columns } from '../output.js';
import { positiveDuration } from '../values.js';

interface ListOptions extends SourcesOptions {
  readonly wait?: number;
}

const DEFAULT_WAIT_MS = 10_000;
const POLL_MS = 20;

export function addEntropySources(entropy: Command, invocation: Invocation): void {
  addCommand<ListOptions>(entropy, invocation, {
    name: 'sources',
    summary: 'list the sources of entropy, and whether they pass their tests',
    details:
      'Opens every source and waits until each has passed its tests or failed. `claimed` and `measured` are bits of ' +
      'min-entropy in a sample: what the source states and is credited by, and what its last samples show by a ' +
      'simple estimate. Noise that fails to reach its claim is thrown away; noise that exceeds it is credited with ' +
      'the claim all the same. `symmetra entropy report` assesses by SP 800-90B. A source that claims nothing is ' +
      'mixed in and never credited.\n\n' +
      'The exit code is 0 whatever the sources do: with --json, `state` says whether they serve.',
    options: [
      sourcesOption(),
      option('--wait <duration>', 'how long to wait for them (default: 10s)', positiveDuration),
    ],
    examples: ['symmetra entropy sources', 'symmetra entropy sources --sources sources.yaml --json'],
    run: list,
  });
}

async function list(invocation: Invocation, options: ListOptions): Promise<void> {
  const { clock, output } = invocation;
  const generator = await openGenerator(invocation, options);
  const until = clock.monotonic() + (options.wait ?? DEFAULT_WAIT_MS);
  const starting = (): boolean => generator.status().sources.some(({ state }) => state === 'starting');
  while (starting() && clock.monotonic() < until) {
    await new Promise<void>((resolve) => {
      clock.setTimer(POLL_MS, resolve);
    });
  }
  const { state, availableSeeds, sources } = generator.status();
  output.result({ state, availableSeeds, sources: sources.map(sourceRecord) }, [
    ...columns([SOURCE_HEADINGS, ...sources.map(sourceRow)]),
    '',
    'claimed, measured: bits of min-entropy in a sample. The claim is credited; what is measured can only refute it.',
    ...simulatedNotes(sources.map(({ description }) => description)),
    state === 'ready'
      ? `Ready: ${availableSeeds} seeds of 384 bits with full entropy can be made now.`
      : 'Not ready: no source that is credited passes its tests.',
  ]);
}
