import type { Command } from 'commander';
import { openDraw } from '../entropy/generator.js';
import type { Invocation } from '../invocation.js';
import { addEntropyBundle } from './entropy-bundle.js';
import { addEntropyFeed } from './entropy-feed.js';
import { addEntropyGet } from './entropy-get.js';
import { addEntropyReport } from './entropy-report.js';
import { addEntropySources } from './entropy-sources.js';
import { addEntropyTest } from './entropy-test.js';
import { addEntropyVerify } from './entropy-verify.js';

/** Adds the commands of the group `entropy`. */
export function addEntropyCommands(entropy: Command, invocation: Invocation): void {
  addEntropySources(entropy, invocation);
  addEntropyGet(entropy, invocation);
  addEntropyFeed(entropy, invocation, openDraw);
  addEntropyReport(entropy, invocation);
  addEntropyVerify(entropy, invocation);
  addEntropyBundle(entropy, invocation);
  addEntropyTest(entropy, invocation);
}
