import type { Device } from '@symmetra/sdk';
import type { Output } from '../output.js';

/** Tells what happens to a device. */
export function tellEvents(_device: Device, _output: Output, _inbox: string | undefined): void {}
