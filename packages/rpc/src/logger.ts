/** Everything that this package writes to the log. */
type Sentence =
  'A call failed.' | 'A connection could not be accepted.' | 'A link failed.' | 'A link was refused.';

interface Fields {
  readonly method?: string;
  /** Peer as address:port. */
  readonly peer?: string;
  readonly err?: unknown;
}

/** The part of the injected logger that this package uses. */
export interface RpcLogger {
  debug(fields: Fields, sentence: Sentence): void;
  warn(fields: Fields, sentence: Sentence): void;
  error(fields: Fields, sentence: Sentence): void;
}
