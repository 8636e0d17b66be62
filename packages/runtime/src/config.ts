import { z } from 'zod';
import { configError } from './config-error.js';

/** The most nodes that one process runs. */
const MAX_NODES = 16;
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
