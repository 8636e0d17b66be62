/** The part of the injected clock that this package uses. */
export interface RpcClock {
  /** Milliseconds that never go back; only differences count. */
  monotonicMs(): number;
  /** Calls back once after `ms` milliseconds, unless the returned function was called before. */
  setTimer(ms: number, callback: () => void): () => void;
}
