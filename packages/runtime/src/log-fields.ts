/** What a field may hold. An `error` is logged by name, code and call sites. */
type FieldKind = 'text' | 'texts' | 'number' | 'flag' | 'error';

/**
 * The vocabulary of the logs: a field that is not here is not logged. Ids, counts and codes only;
 * nothing that is derived from a key, not even a fingerprint.
 */
export const LOG_FIELDS = {
  // Who
  node: 'text',
  nodes: 'texts',
  device: 'text',
  peer: 'text',
  home: 'text',
  /** The node that a report is about. */
  accused: 'text',
  account: 'text',
  administrator: 'text',

  // What
  component: 'text',
  method: 'text',
  subject: 'text',
  event: 'text',
  keyId: 'text',
  group: 'text',
  tokenId: 'text',
  sessionId: 'text',
  purpose: 'text',
  /** A source of entropy, by its name in the configuration. */
  source: 'text',
  /** A health test of entropy. */
  test: 'text',
  suite: 'number',
  epoch: 'number',
  stage: 'number',
  sequence: 'number',
  threshold: 'number',
  version: 'text',

  // With what outcome
  code: 'text',
  reason: 'text',
  /** SHA-256 of what a device sent as evidence. */
  evidence: 'text',
  state: 'text',
  direct: 'flag',
  audited: 'flag',
  err: 'error',

  // How much, how long
  count: 'number',
  bits: 'number',
  bytes: 'number',
  limit: 'number',
  attempt: 'number',
  ms: 'number',

  // Where
  address: 'text',
  port: 'number',
  path: 'text',
  pid: 'number',
  signal: 'text',
} as const satisfies Readonly<Record<string, FieldKind>>;

interface KindValues {
  readonly text: string;
  readonly texts: readonly string[];
  readonly number: number;
  readonly flag: boolean;
  readonly error: unknown;
}

/** The fields of a log line. */
export type LogFields = {
  readonly [Field in keyof typeof LOG_FIELDS]?: KindValues[(typeof LOG_FIELDS)[Field]] | undefined;
};
