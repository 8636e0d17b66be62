import type { MessagePort } from 'node:worker_threads';
import { SymmetraError } from '@symmetra/crypto';
import { runBattery } from './battery-job.js';
import type { BatteryAnswer, BatteryOrder } from './battery-messages.js';

/** The inside of the worker thread: runs one order after the other and erases its bytes. */
export function serveBatteries(port: MessagePort): void {
  const answer = (message: BatteryAnswer): void => port.postMessage(message);
  port.on('message', ({ job, bytes }: BatteryOrder) => {
    try {
      answer({
        kind: 'done',
        result: runBattery(job, bytes, (progress) => answer({ kind: 'progress', progress })),
      });
    } catch (error) {
      // Anything else is a defect: the thread dies of it, and its owner tells.
      if (!(error instanceof SymmetraError)) throw error;
      const { code, message, details } = error;
      answer({ kind: 'failed', failure: { code, message, details } });
    } finally {
      bytes.fill(0);
    }
  });
}
