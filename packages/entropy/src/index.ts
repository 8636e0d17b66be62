export type { Defect, Fault } from './detector/fault.js';
export { ARRIVAL_TIME_SETUP, BEAM_SPLITTER_SETUP } from './detector/parameters.js';
export type { DetectorParameters, DetectorSetup, Digitisation, Pair } from './detector/parameters.js';
export { SimulatedDetector } from './detector/simulated-detector.js';
export type { SimulatedBlock } from './detector/simulated-detector.js';
export { claimedMinEntropy, sampleBits, trueMinEntropy } from './detector/true-entropy.js';
export { DeviceRandom } from './device-random.js';
export { CtrDrbg } from './drbg/ctr-drbg.js';
export type { FullEntropySeed } from './drbg/ctr-drbg.js';
export { DRBG_MAX_INPUT_BYTES, DRBG_MAX_REQUEST_BYTES, DRBG_MAX_RESEED_INTERVAL } from './drbg/drbg.js';
export type { Drbg, DrbgSeed } from './drbg/drbg.js';
export { HashDrbg } from './drbg/hash-drbg.js';
export { HmacDrbg } from './drbg/hmac-drbg.js';
export { AdaptiveProportion } from './health/adaptive-proportion.js';
export { proportionCutoff, repetitionCutoff } from './health/cutoffs.js';
export { DuplicateBlocks } from './health/duplicate-blocks.js';
export { HealthSuite } from './health/health-suite.js';
export type { Alarm, HealthTest } from './health/health-test.js';
export { LagPredictor } from './health/lag-predictor.js';
export { RepetitionCount } from './health/repetition-count.js';
export { RollingMinEntropy } from './health/rolling-min-entropy.js';
export type { DrawRandom } from './feed/draw-random.js';
export { feedFifo } from './feed/fifo-feed.js';
export type { FifoFeedOptions } from './feed/fifo-feed.js';
export { feedKernel } from './feed/kernel-feed.js';
export type { KernelFed, KernelFeedOptions } from './feed/kernel-feed.js';
export { osRandom, osRandomness } from './os-random.js';
export type { NodeRandomness, RandomBytes, RandomSource } from './source.js';
export { ByteNoise, MAX_READ_SAMPLES } from './source/byte-noise.js';
export type { ByteFeed, ByteNoiseOptions } from './source/byte-noise.js';
export type { SourceClock, SourceTimer } from './source/clock.js';
export type {
  Clicks,
  NoiseBlock,
  NoiseSource,
  SourceDescription,
  SourceKind,
} from './source/noise-source.js';
export { osNoise } from './source/os-noise.js';
export { pkcs11Source } from './source/pkcs11.js';
export type { Pkcs11SourceOptions } from './source/pkcs11.js';
export { serialSource } from './source/serial.js';
export type { SerialSourceOptions } from './source/serial.js';
export { tpmSource } from './source/tpm.js';
export type { TpmSourceOptions } from './source/tpm.js';
export { fileSource } from './source/file-source.js';
export type { FileSourceOptions } from './source/file-source.js';
export type { HttpCredentials } from './source/http/connection.js';
export { httpSource } from './source/http/http-source.js';
export type { HttpSourceOptions } from './source/http/http-source.js';
export { streamSource } from './source/stream-source.js';
export type { StreamAddress, StreamSourceOptions } from './source/stream-source.js';
