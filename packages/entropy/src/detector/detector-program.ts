import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { SymmetraError } from '@symmetra/crypto';
import { MAX_FRAME_CLICKS, encodeFrame } from './click-frame.js';
import { ClickSimulator } from './click-simulator.js';
import { MAX_ORDER_BYTES, parseOrder } from './detector-order.js';
import type { DetectorOrder } from './detector-order.js';

/**
 * The detector as a process of its own: reads its order from `input`, then writes frames for as long as somebody takes
 * them. The next frame is made when the one before has left the process. The program that runs it ends itself when
 * `input` ends, as it does when the process that started it dies in whatever way.
 * @returns when the faults want the detector to stop in the middle of a frame, or when `output` closes.
 * @throws DETECTOR_ORDER, DETECTOR_PARAMETERS, DETECTOR_SEED; whatever `output` fails with.
 */
export async function runDetector(input: Readable, output: Writable): Promise<void> {
  output.on('error', () => undefined);
  const order = parseOrder(await firstLine(input));
  input.resume();
  await writeFrames(order, output);
}

async function writeFrames(order: DetectorOrder, output: Writable): Promise<void> {
  const { setup, faults, firstClick } = order;
  const seed = Buffer.from(order.seed, 'hex');
  const simulator = new ClickSimulator(setup.parameters, faults, seed, firstClick);
  seed.fill(0);
  const stop = faults
    .filter(({ kind }) => kind === 'short-read' || kind === 'silence')
    .toSorted((first, second) => first.at - second.at)[0];
  const intervals = new Uint32Array(MAX_FRAME_CLICKS);
  const detectors = new Uint8Array(MAX_FRAME_CLICKS);
  for (let sequence = 0; ; sequence = (sequence + 1) >>> 0) {
    const wanted = Math.min(MAX_FRAME_CLICKS, Math.max(0, (stop?.at ?? Infinity) - simulator.click));
    const made = simulator.make(intervals.subarray(0, wanted), detectors.subarray(0, wanted));
    if (made > 0) {
      const frame = { intervals: intervals.subarray(0, made), detectors: detectors.subarray(0, made) };
      await send(encodeFrame(sequence, frame), output);
    } else if (wanted === 0 && stop?.kind === 'short-read') {
      simulator.make(intervals, detectors);
      const frame = encodeFrame(sequence, { intervals, detectors });
      return send(frame.subarray(0, frame.length / 2), output);
    } else {
      await once(output, 'close');
      return;
    }
  }
}

/** Writes, and waits until the reader has made room for it. */
async function send(bytes: Uint8Array, output: Writable): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    output.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

async function firstLine(input: Readable): Promise<string> {
  let text = '';
  input.setEncoding('utf8');
  for (;;) {
    const chunk = input.read() as string | null;
    if (chunk !== null) text += chunk;
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
    if (input.readableEnded || text.length > MAX_ORDER_BYTES) {
      throw new SymmetraError('DETECTOR_ORDER', 'the detector got no order');
    }
    if (chunk === null) await Promise.race([once(input, 'readable'), once(input, 'end')]);
  }
}
