/** What a device links: nothing of sources, tests and batteries comes with it. */
export { DeviceRandom } from './device-random.js';
export { osRandom, osRandomness } from './os-random.js';
export type { NodeRandomness, RandomBytes, RandomSource } from './source.js';
