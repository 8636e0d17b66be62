#!/usr/bin/env node
// The simulated single-photon detector as a process of its own (docs/entropy/detector.md). Its order, the seed
// included, comes as one line of JSON on standard input; standard output carries frames of time tags.
import { runDetector } from '../dist/detector/detector-program.js';

// One turn later, so that the reason of a failure is said first.
process.stdin.once('close', () => setImmediate(() => process.exit()));

try {
  await runDetector(process.stdin, process.stdout);
} catch (error) {
  process.stderr.write(error instanceof Error ? `${error.message}\n` : 'the detector failed\n');
  process.exitCode = 2;
}
process.stdin.destroy();
