import type {
  HeldContinuity,
  InitiatorContinuity,
  PairConfirmed,
  PairFinished,
  PairHeld,
  PairRefused,
  PairRequested,
  PairResponded,
} from '@symmetra/protocol';

/** A negotiation that this device began. */
export interface OutRow {
  readonly since: number;
  readonly state: PairRequested | PairConfirmed | PairFinished;
}

/** A negotiation that this device answered. */
export interface InRow {
  readonly since: number;
  readonly state: PairResponded | PairHeld | PairRefused;
}

/** What a device keeps of its only peer. */
export interface PeerRow {
  readonly continuity: InitiatorContinuity;
  readonly held: readonly HeldContinuity[];
}

/** What a simulated device is to reach. Changed by the run, read at every tick. */
export interface PairGoal {
  /** Negotiations to begin at once. */
  inFlight: number;
  /** Negotiations that must complete. */
  complete: number;
}

/** Seen by the run: why a negotiation ended early. */
export interface PairWitness {
  note(what: string): void;
  refused(state: PairRequested, code: string, continuity: InitiatorContinuity): void;
}
