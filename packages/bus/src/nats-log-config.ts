import { SymmetraError } from '@symmetra/crypto';
import { DiscardPolicy, RetentionPolicy, StorageType } from 'nats';
import type { StreamConfig } from 'nats';
import { MAX_ENTRY_BYTES } from './log-stream.js';
import type { NatsNames } from './nats-names.js';

/** What JetStream counts beside the entry itself: the headers of the append. */
const HEADER_BYTES = 1024;

/** What the stream of a network has to be: all entries are kept, and nobody takes one away. */
export function streamConfig(names: NatsNames, replicas: number): Partial<StreamConfig> & { name: string } {
  return { name: names.stream, num_replicas: replicas, ...mandatory(names) };
}

/**
 * Whoever may make the stream could have made another one of its name: one that forgets, that takes in other subjects,
 * or that copies them elsewhere.
 * @throws SymmetraError LOG_MISCONFIGURED
 */
export function checkStream(config: StreamConfig, names: NatsNames): void {
  const found = config as unknown as Readonly<Record<string, unknown>>;
  const wrong = Object.entries(mandatory(names)).find(([key, value]) => !alike(found[key], value));
  const foreign = ['mirror', 'sources', 'subject_transform', 'sealed'].find((key) => !absent(found[key]));
  const setting = wrong?.[0] ?? foreign;
  if (setting === undefined) return;
  const message = 'the stream of the control log is not set up as it has to be';
  throw new SymmetraError('LOG_MISCONFIGURED', message, { stream: names.stream, setting });
}

function mandatory(names: NatsNames): Partial<StreamConfig> {
  return {
    subjects: [names.log],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_bytes: -1,
    max_age: 0,
    max_msg_size: MAX_ENTRY_BYTES + HEADER_BYTES,
    deny_delete: true,
    deny_purge: true,
    allow_rollup_hdrs: false,
    no_ack: false,
    republish: { src: names.log, dest: names.stored, headers_only: true },
  };
}

/** Servers leave out what is false, zero or empty. */
function absent(value: unknown): boolean {
  return (
    value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0)
  );
}

function alike(found: unknown, wanted: unknown): boolean {
  if (wanted === false || wanted === 0) return absent(found) || found === 0;
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null) return false;
  const [left, right] = [Object.entries(found), Object.entries(wanted)];
  const same = right.every(([key, value]) => alike((found as Record<string, unknown>)[key], value));
  return same && left.length === right.length;
}
