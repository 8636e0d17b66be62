import { readFileSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import {
  ARRIVAL_TIME_SETUP,
  BufferGate,
  DetectorMonitor,
  DetectorSource,
  RandomBitGenerator,
  SourcePipeline,
  osRandom,
} from '@symmetra/entropy';
import type { GeneratorEvent, NodeRandomness } from '@symmetra/entropy';
import { systemClock } from '@symmetra/runtime';
import { afterEach, expect, test } from 'vitest';

const SOURCES = ['east', 'north', 'south'];
const DEATHS = 8;
const BETWEEN_DEATHS_MS = 1000;
const READY_MS = 30_000;

let generator: RandomBitGenerator | undefined;
afterEach(async () => generator?.close());

function open(onEvent: (event: GeneratorEvent) => void): RandomBitGenerator {
  const { bytes: random } = osRandom();
  return new RandomBitGenerator({
    os: random,
    clock: systemClock,
    onEvent,
    open: (notify) =>
      SOURCES.map((name) => {
        const source = new DetectorSource({
          name,
          setup: ARRIVAL_TIME_SETUP,
          random,
          clock: systemClock,
          timeoutMs: READY_MS,
        });
        return new SourcePipeline(source, {
          random,
          clock: systemClock,
          gate: (bytes) => new BufferGate({ bytes }),
          monitors: [new DetectorMonitor(ARRIVAL_TIME_SETUP)],
          onEvent: notify,
        });
      }),
  });
}

/** The detectors' processes, the oldest first. */
function detectors(): readonly number[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  return children
    .trim()
    .split(' ')
    .map(Number)
    .filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('detector.mjs'));
}

test('a source dies every second, and no request fails', async () => {
  const events: GeneratorEvent[] = [];
  generator = open((event) => events.push(event));
  const ready = AbortSignal.timeout(READY_MS);
  await generator.untilAvailable(100, ready);
  while (generator.status().sources.some(({ state }) => state !== 'qualified')) {
    ready.throwIfAborted();
    await setTimeout(20);
  }
  const drbg: NodeRandomness = generator.drbg();

  const over = new AbortController();
  let requests = 0;
  const load = async (): Promise<void> => {
    while (!over.signal.aborted) {
      // Whatever fails here fails the test.
      drbg.requireEntropy();
      expect(drbg.bytes(4096)).toHaveLength(4096);
      expect(generator?.full(32)).toHaveLength(32);
      requests += 3;
      if (requests % 300 === 0) await setTimeout(5);
      else await setImmediate();
    }
  };
  const loaded = load();
  // It is awaited below; until then its failure is nobody's.
  loaded.catch(() => undefined);
  const deathsSeen = (): number => events.filter(({ kind }) => kind === 'quarantined').length;
  const serving = (): number =>
    generator?.status().sources.filter(({ state }) => state === 'qualified').length ?? 0;
  for (let death = 0; death < DEATHS; death++) {
    await setTimeout(BETWEEN_DEATHS_MS);
    // On a slow machine a source needs longer to come back: one that is good is left at each death.
    const patience = AbortSignal.timeout(READY_MS);
    while (deathsSeen() < death || serving() < 2) {
      patience.throwIfAborted();
      await setTimeout(20);
    }
    const [oldest] = detectors();
    if (oldest === undefined) throw new Error('no detector is running');
    process.kill(oldest, 'SIGKILL');
  }
  await setTimeout(BETWEEN_DEATHS_MS);
  over.abort();
  await loaded;

  const kinds = events.map(({ kind }) => kind);
  expect(deathsSeen()).toBeGreaterThanOrEqual(DEATHS - 1);
  expect(kinds.filter((kind) => kind === 'requalified').length).toBeGreaterThanOrEqual(
    DEATHS - SOURCES.length,
  );
  expect(kinds).not.toContain('exhausted');
  expect(requests).toBeGreaterThan(1000);
  expect(generator.status().ledger.refusals).toBe(0);
});
