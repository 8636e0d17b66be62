import { randomBytes } from 'node:crypto';
import { assessNonIid, fips1402, sp80022 } from '@symmetra/battery';
import { BufferGate, DrbgTier, Toeplitz } from '@symmetra/entropy';
import type { SeedSupply } from '@symmetra/entropy';

/** CPU seconds of this process, user and system; data are made before the clock starts. */
export interface EntropyResult {
  /** SP 800-22, all 15 tests over sequences of 1,000,000 bits, profile nist-sts-2.1.2. */
  readonly sp80022MbitPerCpuS: number;
  /** FIPS 140-2 over blocks of 20,000 bits. */
  readonly fips1402MbitPerCpuS: number;
  /** Toeplitz extraction, 2,048 bits to 1,024: raw bits that go in. */
  readonly toeplitzMbitPerCpuS: number;
  /** SP 800-90B, non-IID, 1,000,000 samples of 8 bits: all estimators on the samples and on their bitstring. */
  readonly nonIidCpuS: number;
  /** The drbg tier with seeds at hand, in draws of 64 KiB. */
  readonly drbgGbitPerCpuS: number;
  /** The gate over buffers of 32 KiB. */
  readonly gateMbitPerCpuS: number;
}

/** Figures of other programs, per CPU-second on a machine like ours or as published. */
const PEERS = `  sp80022MbitPerCpuS    0.29 NIST STS 2.1.2, 0.91 arcetri/sts v3
  fips1402MbitPerCpuS   about 250 rngtest
  toeplitzMbitPerCpuS   188 the same in TypeScript, without WebAssembly
  nonIidCpuS            17 to 25 NIST's C++
  drbgGbitPerCpuS       1 QNu's published DRBG (wall clock); 0.63 to 0.94 Qrypt's appliance`;

const MEGA = 1e6;
const GIGA = 1e9;
const SEQUENCE_BYTES = 125_000;
const DRAW_BYTES = 2 ** 16;
const RANDOM_CALL_BYTES = 2 ** 24;

/** Measures what the batteries, the extractor and the fast tier cost. Each part warms up on other data first. */
export function benchEntropy(): EntropyResult {
  console.log(
    `  other programs:\n${PEERS}\n  warm-up: one call of each, 2 of SP 800-22, 16 MiB of Toeplitz and drbg`,
  );
  // The tier first: it makes much garbage, and what the batteries leave on the heap would be counted against it.
  const drbgGbitPerCpuS = drbgRate();
  return {
    sp80022MbitPerCpuS: rate(sequences(2), sequences(16), MEGA, (bytes) =>
      sp80022(bytes, { profile: 'nist-sts-2.1.2' }),
    ),
    fips1402MbitPerCpuS: rate([fresh(10 * MEGA)], [fresh(100 * MEGA)], MEGA, (bytes) => fips1402(bytes)),
    toeplitzMbitPerCpuS: toeplitzRate(),
    nonIidCpuS: nonIidSeconds(),
    drbgGbitPerCpuS,
    gateMbitPerCpuS: gateRate(),
  };
}

function toeplitzRate(): number {
  const [inputBits, outputBits] = [2048, 1024];
  const toeplitz = new Toeplitz({ inputBits, outputBits, seed: fresh((inputBits + outputBits) / 8) });
  const pieces = (count: number): Uint8Array[] => Array.from({ length: count }, () => fresh(2 ** 20));
  return rate(pieces(16), pieces(64), MEGA, (bytes) => toeplitz.extract(bytes));
}

/** The warm-up has a tenth of the samples. */
function nonIidSeconds(): number {
  assessNonIid(fresh(100_000), 8);
  const samples = fresh(MEGA);
  return cpuSeconds(() => assessNonIid(samples, 8));
}

function drbgRate(): number {
  const [warmUp, draws] = [2 ** 8, 2 ** 14];
  const tier = new DrbgTier(new PreparedSeeds(((warmUp + draws) * DRAW_BYTES) / 2 ** 14 + 1));
  const draw = (times: number): void => {
    for (let i = 0; i < times; i += 1) tier.bytes(DRAW_BYTES);
  };
  draw(warmUp);
  return (draws * DRAW_BYTES * 8) / GIGA / cpuSeconds(() => draw(draws));
}

function gateRate(): number {
  const gate = new BufferGate();
  const buffers = (count: number): Uint8Array[] =>
    Array.from({ length: count }, () => fresh(gate.statement.bytes));
  return rate(buffers(50), buffers(500), MEGA, (bytes) => gate.check(bytes));
}

/** Seeds that were made before. */
class PreparedSeeds implements SeedSupply {
  static readonly #SEED_BYTES = 48;
  readonly #seeds: Uint8Array;
  #next = 0;

  constructor(count: number) {
    this.#seeds = fresh(count * PreparedSeeds.#SEED_BYTES);
  }

  get available(): number {
    return (this.#seeds.length - this.#next) / PreparedSeeds.#SEED_BYTES;
  }

  take(): Uint8Array | undefined {
    if (this.available === 0) return undefined;
    const seed = this.#seeds.slice(this.#next, this.#next + PreparedSeeds.#SEED_BYTES);
    this.#next += PreparedSeeds.#SEED_BYTES;
    return seed;
  }
}

/** Bits per CPU-second, in units of `unit`, after a warm-up on other data. */
function rate(
  warmUp: readonly Uint8Array[],
  data: readonly Uint8Array[],
  unit: number,
  run: (bytes: Uint8Array) => unknown,
): number {
  for (const bytes of warmUp) run(bytes);
  const bits = data.reduce((sum, bytes) => sum + bytes.length * 8, 0);
  const seconds = cpuSeconds(() => {
    for (const bytes of data) run(bytes);
  });
  return bits / unit / seconds;
}

function cpuSeconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / MEGA;
}

function sequences(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => fresh(SEQUENCE_BYTES));
}

/** Bytes that no run before had. */
function fresh(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += RANDOM_CALL_BYTES) {
    bytes.set(randomBytes(Math.min(RANDOM_CALL_BYTES, length - i)), i);
  }
  return bytes;
}
