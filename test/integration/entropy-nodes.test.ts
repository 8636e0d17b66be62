import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refusal, reply } from './cli-inside.js';
import type { Report } from './cli-outcome.js';
import { Bench } from './cli-program.js';
import { EgdDevice } from './egd-device.js';

/* `symmetra up` as a person runs it, over devices of noise that fail and recover while devices ask for keys. */

const PATIENCE_MS = 60_000;
const LOOK_MS = 250;

const bench = new Bench();
const devices: EgdDevice[] = [];
afterAll(async () => {
  await bench.end();
  await Promise.all(devices.map(async (device) => device.stop()));
});

/** A network that draws from so many devices of noise, with a device Alice and one that listens, Bob. */
class Site {
  readonly noise: readonly EgdDevice[];
  readonly directory: string;
  readonly #metrics: string;
  readonly #bobId: string;

  private constructor(directory: string, noise: readonly EgdDevice[], metrics: string, bobId: string) {
    this.directory = directory;
    this.noise = noise;
    this.#metrics = metrics;
    this.#bobId = bobId;
  }

  static async start(names: readonly string[]): Promise<Site> {
    const directory = await bench.directory();
    const noise = await Promise.all(names.map(async (name) => EgdDevice.start(join(directory, name))));
    devices.push(...noise);
    const sources = join(directory, 'sources.yaml');
    const entries = noise.map((device, i) => device.entry(names[i] ?? ''));
    await writeFile(sources, JSON.stringify({ sources: entries }));
    const data = join(directory, 'network');
    const network = await bench.network(data, '--sources', sources, '--metrics-port', '0');
    const { metrics } = await network.event('up');
    const bob = join(directory, 'bob');
    await bench.device(data, join(directory, 'alice'), 'alice');
    const bobId = await bench.device(data, bob, 'bob');
    await bench.listener(bob);
    return new Site(directory, noise, String(metrics), bobId);
  }

  async token(): Promise<string> {
    return String((await reply(['token', 'create', '--data', join(this.directory, 'network')]))['token']);
  }

  enrolment(name: string): string[] {
    return ['device', 'enrol', '--token', '-', '--state', join(this.directory, name), '--name', name];
  }

  get negotiation(): string[] {
    return ['key', 'negotiate', '--state', join(this.directory, 'alice'), '--peer', this.#bobId];
  }

  async negotiates(): Promise<Report> {
    return reply(this.negotiation);
  }

  /** The values of a scrape, by name and labels. */
  async scrape(): Promise<ReadonlyMap<string, number>> {
    const text = await (await fetch(this.#metrics)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const end = line.lastIndexOf(' ');
        return [line.slice(0, end), Number(line.slice(end + 1))];
      }),
    );
  }

  async until(metric: string, value: number): Promise<void> {
    const looks = PATIENCE_MS / LOOK_MS;
    for (let look = 0; look < looks; look++) {
      if ((await this.scrape()).get(metric) === value) return;
      await setTimeout(LOOK_MS);
    }
    throw new Error(`${metric} never became ${value}`);
  }

  /** Lines of the log that say so. */
  async logged(sentence: string): Promise<readonly Report[]> {
    const text = await readFile(join(this.directory, 'network', 'symmetra.log'), 'utf8');
    const lines = text.trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as Report).filter(({ message }) => message === sentence);
  }
}

describe('a network with one source', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start(['lamp']);
  });
  afterEach(() => {
    for (const device of site.noise) device.mode = 'good';
  });

  it.each([
    { mode: 'stuck', cause: { test: expect.any(String), reason: 'permanent' } },
    { mode: 'silent', cause: { code: 'SOURCE_SILENT' } },
  ] as const)(
    'makes no keys while that is $mode, and makes them again by itself',
    async ({ mode, cause }) => {
      const [lamp] = site.noise;
      if (lamp === undefined) throw new Error('there is no device');
      const token = await site.token();
      const before = await site.scrape();
      await site.negotiates();

      lamp.mode = mode;
      await site.until('symmetra_entropy_ready', 0);
      const enrolment = site.enrolment(`carol-${mode}`);
      const message = 'no good source of entropy is left';
      expect(await refusal(enrolment, { input: token })).toEqual({
        exit: 1,
        code: 'ENTROPY_EXHAUSTED',
        message: expect.stringContaining(message),
      });
      expect(await refusal(site.negotiation)).toEqual({
        exit: 1,
        code: 'ENTROPY_EXHAUSTED',
        message: expect.stringContaining(message),
      });
      const during = await site.scrape();
      expect(during.get('symmetra_entropy_refusals_total')).toBeGreaterThan(
        before.get('symmetra_entropy_refusals_total') ?? Infinity,
      );
      expect(during.get('symmetra_entropy_source_qualified{source="lamp"}')).toBe(0);
      expect(await site.logged('A source of entropy is in quarantine.')).toContainEqual(
        expect.objectContaining({ source: 'lamp', ...cause }),
      );
      const exhausted = await site.logged('No good source of entropy is left: the nodes make no new keys.');
      expect(exhausted.at(-1)).toMatchObject({ level: 'error' });

      lamp.mode = 'good';
      await site.until('symmetra_entropy_ready', 1);
      await reply(enrolment, { input: token });
      await site.negotiates();
      expect(await site.logged('There is a good source of entropy again: the nodes make keys.')).toHaveLength(
        exhausted.length,
      );
    },
  );
});

describe('a network with two sources', () => {
  it('refuses nothing while one of them is left', async () => {
    const site = await Site.start(['lamp', 'moon']);
    const [lamp] = site.noise;
    if (lamp === undefined) throw new Error('there is no device');
    lamp.mode = 'stuck';
    await site.until('symmetra_entropy_source_qualified{source="lamp"}', 0);
    for (const name of ['carol', 'dave']) {
      await reply(site.enrolment(name), { input: await site.token() });
      await site.negotiates();
    }
    const scraped = await site.scrape();
    expect(scraped.get('symmetra_entropy_ready')).toBe(1);
    expect(scraped.get('symmetra_entropy_refusals_total')).toBe(0);
    expect(scraped.get('symmetra_entropy_source_qualified{source="moon"}')).toBe(1);
  });
});

describe.skipIf(process.platform !== 'linux')('the simulated detector of a network', () => {
  /** The detectors that a process has started. */
  function detectorsOf(pid: number): readonly number[] {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    return children.filter((child) => child > 0 && isDetector(child));
  }

  function isDetector(pid: number): boolean {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('detector.mjs');
    } catch {
      return false;
    }
  }

  it('ends with it, however it ends, and a second start has its own', async () => {
    const data = join(await bench.directory(), 'network');
    let before: readonly number[] = [];
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const network = await bench.network(data);
      const started = detectorsOf(network.pid);
      expect(started).toHaveLength(1);
      expect(started).not.toEqual(before);
      await network.end(signal);
      for (let look = 0; started.some(isDetector); look++) {
        if (look === PATIENCE_MS / LOOK_MS) throw new Error(`a detector outlived ${signal}`);
        await setTimeout(LOOK_MS);
      }
      before = started;
    }
  });
});
