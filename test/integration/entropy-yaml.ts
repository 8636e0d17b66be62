import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './cli-program.js';

/** A source as an entry of a configuration. */
export type SourceEntry = Readonly<Record<string, boolean | number | string | undefined>>;

/** A device of eight bits a sample, raw, that claims six of them. */
export function physicalFile(name: string, path: string): SourceEntry {
  return {
    name,
    kind: 'file',
    path,
    physical: true,
    quantum: false,
    raw: true,
    bitsPerSample: 8,
    minEntropyPerSample: 6,
  };
}

/** Configurations of sources, each in a file; JSON is YAML, too. */
export class Yaml {
  readonly #bench: Bench;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  async file(...sources: readonly SourceEntry[]): Promise<string> {
    const path = join(await this.#bench.directory(), 'sources.yaml');
    await writeFile(path, JSON.stringify({ sources }));
    return path;
  }
}
