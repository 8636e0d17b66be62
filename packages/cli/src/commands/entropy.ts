import type { Command } from 'commander';
import { addGroup } from '../command.js';
import { openDraw } from '../entropy/generator.js';
import type { Invocation } from '../invocation.js';
import { addEntropyBundle } from './entropy-bundle.js';
import { addEntropyFeed } from './entropy-feed.js';
import { addEntropyGet } from './entropy-get.js';
import { addEntropyReport } from './entropy-report.js';
import { addEntropySources } from './entropy-sources.js';
import { addEntropyTest } from './entropy-test.js';
import { addEntropyVerify } from './entropy-verify.js';

export function addEntropyCommands(program: Command, invocation: Invocation): void {
  const entropy = addGroup(program, 'entropy', 'random sources, what they give, and what tests say of it');
  addEntropySources(entropy, invocation);
  addEntropyGet(entropy, invocation);
  addEntropyFeed(entropy, invocation, openDraw);
  addEntropyReport(entropy, invocation);
  addEntropyVerify(entropy, invocation);
  addEntropyBundle(entropy, invocation);
  addEntropyTest(entropy, invocation);
}
