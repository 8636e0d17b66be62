export { ManualClock } from './clock.js';
