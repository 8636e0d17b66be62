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
