import { SerialLine } from '@symmetra/hardware';
import type { SerialOptions } from '@symmetra/hardware';
import { ByteNoise } from './byte-noise.js';
import type { SourceClock } from './clock.js';
import { DeviceFeed } from './device-feed.js';
import type { NoiseSource, SourceDescription } from './noise-source.js';

/** How the source over a serial line is opened. */
export interface SerialSourceOptions {
  /** Of kind `serial`. */
  readonly description: SourceDescription;
  readonly line: SerialOptions;
  readonly clock: SourceClock;
  /** Milliseconds within which a read must be answered; a line of 115,200 baud carries 11,520 bytes in a second. */
  readonly timeoutMs: number;
}

/**
 * A device that sends noise over a serial line, or over USB as one (CDC-ACM), a byte a sample. What the line had
 * received before it was opened is thrown away.
 */
export function serialSource({ description, line, clock, timeoutMs }: SerialSourceOptions): NoiseSource {
  const feed = new DeviceFeed(description.name, clock, async () => SerialLine.open(line));
  return new ByteNoise({ description, feed, clock, timeoutMs });
}
