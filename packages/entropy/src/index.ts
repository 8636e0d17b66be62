export { DeviceRandom } from './device-random.js';
export {
  DRBG_MAX_INPUT_BYTES,
  DRBG_MAX_REQUEST_BYTES,
  DRBG_MAX_RESEED_INTERVAL,
  HmacDrbg,
} from './hmac-drbg.js';
export type { DrbgSeed } from './hmac-drbg.js';
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
