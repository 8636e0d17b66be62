import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  ARRIVAL_TIME_SETUP,
  BEAM_SPLITTER_SETUP,
  DetectorSource,
  SimulatedDetector,
} from '@symmetra/entropy';
import type { DetectorSourceOptions } from '@symmetra/entropy';
import { systemClock } from '@symmetra/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, describeNoiseSource } from './noise-source-suite.js';

const program = fileURLToPath(new URL('../../packages/entropy/bin/detector.mjs', import.meta.url));
const never = (): AbortSignal => new AbortController().signal;

/** Seeds that differ from process to process: the n-th consists of bytes n. */
function numberedSeeds(): (length: number) => Uint8Array {
  let made = 0;
  return (length) => new Uint8Array(length).fill(++made);
}

const opened: DetectorSource[] = [];

function open(options: Partial<DetectorSourceOptions> = {}): DetectorSource {
  const source = new DetectorSource({
    name: 'detector',
    setup: BEAM_SPLITTER_SETUP,
    random: numberedSeeds(),
    clock: systemClock,
    timeoutMs: 20_000,
    ...options,
  });
  opened.push(source);
  return source;
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'symmetra-detector-'));
});

afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Linux's figures on a process, from its own line in /proc: state, parent, and the ticks of CPU that it used. */
function statOf(pid: number | string): { state: string; parent: number; ticks: number } {
  const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    ticks: Number(fields[11]) + Number(fields[12]),
  };
}

/** The detectors that a process has started and that live. */
function detectorsOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1');
        return statOf(name).parent === parent && command.includes(program);
      } catch {
        return false;
      }
    })
    .map(Number);
}

const lives = (pid: number): boolean => existsSync(`/proc/${pid}`) && statOf(pid).state !== 'Z';

/** Waits until a condition holds; gives up after 20 seconds. */
async function until(condition: () => boolean): Promise<boolean> {
  for (let turn = 0; turn < 400 && !condition(); turn += 1) await sleep(50);
  return condition();
}

describeNoiseSource('the simulated detector, beam splitter', async () => ({ source: open() }), {
  silent: async () => ({
    source: open({ faults: [{ kind: 'lamp', at: 0, power: 0 }], setup: dark(), timeoutMs: 500 }),
  }),
});

describeNoiseSource('the simulated detector, arrival time', async () => ({
  source: open({ setup: ARRIVAL_TIME_SETUP }),
}));

/** Without photons and dark counts nothing clicks. */
function dark(): typeof BEAM_SPLITTER_SETUP {
  const { parameters, digitisation } = BEAM_SPLITTER_SETUP;
  return { parameters: { ...parameters, darkRate: [0, 0] }, digitisation };
}

describe('the detector in its own process', () => {
  it('gives the samples and clicks of the model for its seed', async () => {
    const source = open();
    const model = new SimulatedDetector(BEAM_SPLITTER_SETUP, new Uint8Array(32).fill(1));
    for (const count of [10, 5000, 30_000]) {
      const [block, expected] = [await source.read(count, never()), model.read(count)];
      expect(Buffer.compare(block.samples, expected.samples)).toBe(0);
      expect(
        Buffer.from(block.clicks.intervals.buffer).equals(Buffer.from(expected.clicks.intervals.buffer)),
      ).toBe(true);
      expect(Buffer.compare(block.clicks.detectors, expected.clicks.detectors)).toBe(0);
    }
  });

  it('is labelled as simulated, with a claim below its model', () => {
    expect(open().description).toEqual({
      name: 'detector',
      kind: 'detector',
      physical: true,
      quantum: true,
      simulated: true,
      raw: true,
      bitsPerSample: 1,
      minEntropyPerSample: 0.79,
    });
    expect(open({ setup: ARRIVAL_TIME_SETUP }).description).toMatchObject({
      bitsPerSample: 6,
      minEntropyPerSample: 2.61,
    });
  });

  it('says SOURCE_UNREACHABLE when the process is killed, then goes on with another seed', async () => {
    const random = numberedSeeds();
    const source = open({ random });
    await source.read(10, never());
    const [pid = 0] = detectorsOf(process.pid);
    process.kill(pid, 'SIGKILL');
    let code = 'none';
    for (let turn = 0; turn < 100 && code === 'none'; turn += 1) {
      code = await codeOf(source.read(8192, never()));
    }
    expect(code).toBe('SOURCE_UNREACHABLE');
    const { samples } = await source.read(1000, never());
    const model = new SimulatedDetector(BEAM_SPLITTER_SETUP, new Uint8Array(32).fill(2));
    expect(Buffer.compare(samples, model.read(1000).samples)).toBe(0);
  });

  it('says SOURCE_SHORT_READ when the tagger stops within a frame, once', async () => {
    const source = open({ faults: [{ kind: 'short-read', at: 20_000 }], setup: ARRIVAL_TIME_SETUP });
    expect((await source.read(20_000, never())).samples).toHaveLength(20_000);
    expect(await codeOf(source.read(1000, never()))).toBe('SOURCE_SHORT_READ');
    expect((await source.read(30_000, never())).samples).toHaveLength(30_000);
  });

  it('says SOURCE_SILENT when the tagger falls silent, and goes on when it is started again', async () => {
    const source = open({
      faults: [{ kind: 'silence', at: 1000 }],
      setup: ARRIVAL_TIME_SETUP,
      timeoutMs: 2000,
    });
    expect(await codeOf(source.read(2000, never()))).toBe('SOURCE_SILENT');
    expect((await source.read(1, never())).samples).toHaveLength(1);
  });

  it('counts its faults over the life of the source, not of the process', async () => {
    const faults = [
      { kind: 'short-read', at: 5000 },
      { kind: 'stuck-bit', at: 6000, bit: 0, value: 1 },
    ] as const;
    const source = open({ faults, setup: ARRIVAL_TIME_SETUP });
    await source.read(5000, never());
    expect(await codeOf(source.read(1, never()))).toBe('SOURCE_SHORT_READ');
    const { samples } = await source.read(2000, never());
    expect(samples.subarray(0, 1000).some((sample) => sample % 2 === 0)).toBe(true);
    expect(samples.subarray(1000).every((sample) => sample % 2 === 1)).toBe(true);
  });

  it.each([
    ['an error page', 'process.stdout.write("<html>503 Service Unavailable, try again later</html>")'],
    ['a frame with a wrong checksum', frameProgram({ checksum: 1 })],
    ['a frame out of turn', frameProgram({ sequence: 1 })],
    ['a frame of a third detector', frameProgram({ detector: 2 })],
    ['a frame of no clicks', frameProgram({ clicks: 0 })],
  ])('says SOURCE_BAD_PAYLOAD to %s', async (name, text) => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.mjs`);
    await writeFile(path, `${text};\nsetInterval(() => undefined, 1000);\n`);
    expect(await codeOf(open({ program: path }).read(1, never()))).toBe('SOURCE_BAD_PAYLOAD');
  });

  it('says SOURCE_UNREACHABLE when the program does not run', async () => {
    const source = open({ program: join(folder, 'nothing.mjs') });
    expect(await codeOf(source.read(1, never()))).toBe('SOURCE_UNREACHABLE');
  });

  it('refuses a model that it does not cover', () => {
    const setup = { ...BEAM_SPLITTER_SETUP, parameters: { ...BEAM_SPLITTER_SETUP.parameters, split: 2 } };
    expect(() => open({ setup })).toThrow(expect.objectContaining({ code: 'DETECTOR_PARAMETERS' }));
  });
});

/** A program that writes one frame of one click, with something wrong about it. */
function frameProgram(wrong: {
  checksum?: number;
  sequence?: number;
  detector?: number;
  clicks?: number;
}): string {
  const { checksum = 0, sequence = 0, detector = 0, clicks = 1 } = wrong;
  return `import { crc32 } from 'node:zlib';
    const frame = Buffer.alloc(21);
    frame.write('SPD1');
    frame.writeUInt32LE(${sequence}, 4);
    frame.writeUInt32LE(${clicks}, 8);
    frame.writeUInt32LE(100, 16);
    frame[20] = ${detector};
    frame.writeUInt32LE((crc32(frame.subarray(16)) + ${checksum}) >>> 0, 12);
    process.stdout.write(frame)`;
}

describe('the process of the detector', () => {
  const order = JSON.stringify({
    seed: '00'.repeat(32),
    setup: ARRIVAL_TIME_SETUP,
    faults: [],
    firstClick: 0,
  });

  it('takes no CPU when nobody reads, and its arguments hold no seed', async () => {
    const source = open();
    await source.read(1, never());
    const [pid = 0] = detectorsOf(process.pid);
    let ticks = -1;
    const settled = await until(() => {
      const before = ticks;
      ticks = statOf(pid).ticks;
      return before === ticks;
    });
    expect(settled).toBe(true);
    await sleep(400);
    expect(statOf(pid).ticks - ticks).toBeLessThanOrEqual(2);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).not.toMatch(/01{8}/);
  });

  it('ends when its input ends, though nobody reads what it wrote', async () => {
    const child = spawn(process.execPath, [program], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.write(`${order}\n`);
    child.stdout.pause();
    await once(child.stdout, 'readable');
    const exited = once(child, 'exit');
    child.stdin.end();
    await exited;
    child.stdout.destroy();
    expect(child.exitCode).toBe(0);
  });

  it('ends when the process that started it is killed', async () => {
    const path = join(folder, 'parent.mjs');
    await writeFile(
      path,
      `import { spawn } from 'node:child_process';
       const child = spawn(process.execPath, [${JSON.stringify(program)}], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
       child.stdin.write(${JSON.stringify(`${order}\n`)});
       child.stdout.once('readable', () => console.log(child.pid));
      `,
    );
    const parent = spawn(process.execPath, [path], { env: {}, stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(lives(pid)).toBe(true);
    parent.kill('SIGKILL');
    expect(await until(() => !lives(pid))).toBe(true);
  });

  it.each(['', 'none\n', '{}\n', `${order.replace('00', 'zz')}\n`])(
    'ends with a failure when its order is %j',
    async (text) => {
      const child = spawn(process.execPath, [program], { env: {}, stdio: ['pipe', 'ignore', 'pipe'] });
      child.stdin.on('error', () => undefined);
      child.stdin.end(text);
      await once(child, 'exit');
      expect(child.exitCode).toBe(2);
    },
  );
});
