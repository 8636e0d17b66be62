import { SymmetraError } from '@symmetra/crypto';
import type { Fault } from './fault.js';
import { checkSetup } from './parameters.js';
import type { DetectorSetup } from './parameters.js';

/** What a detector's process is to simulate: one line of JSON on its standard input, the seed included. */
export interface DetectorOrder {
  /** 32 bytes in hexadecimal. */
  readonly seed: string;
  readonly setup: DetectorSetup;
  readonly faults: readonly Fault[];
  /** How many clicks of the source's life are over. */
  readonly firstClick: number;
}

/** The longest line that is read. */
export const MAX_ORDER_BYTES = 65_536;

/**
 * Reads an order. Only the program that starts the process can send one; the checks are against a mistake.
 * @throws DETECTOR_ORDER, DETECTOR_PARAMETERS
 */
export function parseOrder(line: string): DetectorOrder {
  const order = parse(line);
  if (
    typeof order?.seed !== 'string' ||
    !/^[0-9a-f]{64}$/.test(order.seed) ||
    !Array.isArray(order.faults) ||
    !order.faults.every((fault: Partial<Fault> | null) => Number.isSafeInteger(fault?.at)) ||
    !Number.isSafeInteger(order.firstClick) ||
    !isObject(order.setup?.parameters) ||
    !isObject(order.setup.digitisation)
  ) {
    throw new SymmetraError('DETECTOR_ORDER', 'the detector can not read its order');
  }
  checkSetup(order.setup);
  return order as DetectorOrder;
}

function isObject<Value>(value: Value | null | undefined): value is Value & object {
  return typeof value === 'object' && value !== null;
}

function parse(line: string): Partial<DetectorOrder> | undefined {
  try {
    return (JSON.parse(line) ?? undefined) as Partial<DetectorOrder> | undefined;
  } catch {
    return undefined;
  }
}
