import type { Command } from 'commander';
import { addGroup } from '../command.js';
import type { Invocation } from '../invocation.js';
import { addEntropyTest } from './entropy-test.js';

export function addEntropyCommands(program: Command, invocation: Invocation): void {
  const entropy = addGroup(program, 'entropy', 'random sources, batteries and reports');
  addEntropyTest(entropy, invocation);
}
