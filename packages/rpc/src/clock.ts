/** The part of the injected clock that this package uses. */
export interface RpcClock {
  /** Milliseconds that never go back; only differences count. */
  monotonic(): number;
  /** Calls back once, not before `ms` milliseconds, unless it is cancelled before. */
  setTimer(ms: number, callback: () => void): RpcTimer;
}

/** Cancelling a timer that has fired has no effect. */
export interface RpcTimer {
  cancel(): void;
}
