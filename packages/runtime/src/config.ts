import { SymmetraError } from '@symmetra/crypto';
import { z } from 'zod';
import { configError } from './config-error.js';

const UNITS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/**
 * A duration such as `250ms`, `30s`, `15m`, `1h`, `7d`: a whole number and its unit.
 * @returns milliseconds.
 * @throws BAD_DURATION
 */
export function parseDuration(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,15})(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS.get(unit) ?? Number.NaN);
  if (amount !== '' && Number.isSafeInteger(ms)) return ms;
  throw new SymmetraError('BAD_DURATION', 'a duration is a whole number and ms, s, m, h or d, such as 1h');
}

/** The most nodes that one process runs. */
export const MAX_NODES = 16;
const MAX_PORT = 65_535;

/** A whole number, also as the digits that a command line gives. */
const wholeNumber = z.preprocess(
  (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value),
  z.int(),
);

const upConfig = z
  .strictObject({
    nodes: wholeNumber.pipe(z.number().min(1).max(MAX_NODES)).default(3),
    threshold: wholeNumber.pipe(z.number().min(1).max(MAX_NODES)).optional(),
    dataDir: z.string().min(1).max(4096).default('.symmetra'),
    port: wholeNumber.pipe(z.number().min(0).max(MAX_PORT)).default(7400),
  })
  .transform((config) => ({ ...config, threshold: config.threshold ?? Math.min(2, config.nodes) }))
  .refine(({ nodes, threshold }) => threshold <= nodes, {
    path: ['threshold'],
    message: 'there must be at least as many nodes',
  })
  .refine(({ nodes, port }) => port === 0 || port + nodes <= MAX_PORT, {
    path: ['port'],
    message: 'the ports of the nodes would go beyond 65535',
  });

/** A network of nodes in one process. */
export interface UpConfig {
  /** 1 to 16; 3 by default. */
  readonly nodes: number;
  /** Nodes that suffice, at most `nodes`; 2 by default, or 1 when there is one node. */
  readonly threshold: number;
  /** `.symmetra` by default. */
  readonly dataDir: string;
  /** Node i, counted from 1, listens on `port + i`; 0: on free ports. 7400 by default. */
  readonly port: number;
}

/**
 * Checks and completes the configuration of a network. Unknown keys are refused.
 * @throws BAD_CONFIG, with the first bad field in `details.field`.
 */
export function parseUpConfig(input: unknown): UpConfig {
  const result = upConfig.safeParse(input);
  if (result.success) return result.data;
  throw configError(result.error);
}
