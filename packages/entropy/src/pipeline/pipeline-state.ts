import { SymmetraError } from '@symmetra/crypto';

/*
 *              clean windows                    clean windows
 *   starting ----------------> qualified <---------------- requalifying <--+
 *      |                           |                        ^      |       | intermittent alarm,
 *      |     intermittent alarm    |                        |      +-------+ of any state that reads
 *      +---------------------------+------------------------+
 *      |                                                    |
 *      |  permanent alarm, too many intermittent ones       | the pause is over,
 *      |  in a row, an error of the source                  | or the operator says so
 *      +------> quarantined --------------------------------+
 *                    | too often                            |
 *                    +------> out-of-service ---------------+ (the operator only)
 *
 *   Each of them can be closed.
 */

/** Where the pipeline of a source stands. */
export type PipelineState =
  | {
      readonly kind: 'starting' | 'qualified' | 'requalifying';
      /** Windows that passed in this state. */
      readonly clean: number;
      readonly record: FailureRecord;
    }
  | { readonly kind: 'quarantined'; readonly pauseMs: number; readonly record: FailureRecord }
  | { readonly kind: 'out-of-service' }
  | { readonly kind: 'closed' };

/** What went wrong since the source last served without fault for a while. */
interface FailureRecord {
  /** Intermittent alarms in a row. */
  readonly intermittent: number;
  /** Quarantines because of alarms. */
  readonly quarantines: number;
  /** Errors since the source last qualified. */
  readonly errors: number;
}

/** What can happen to a pipeline. */
export type PipelineInput =
  | 'window-passed'
  | 'intermittent-alarm'
  | 'permanent-alarm'
  | 'source-error'
  | 'pause-over'
  | 'requalify'
  | 'close';

/** How a source that failed comes back. */
export interface RecoveryPolicy {
  /** Clean windows in a row after which it serves, at the start and after each failure. */
  readonly qualifyingWindows: number;
  /** Intermittent alarms in a row that count as a permanent one. */
  readonly maxIntermittent: number;
  /** Quarantines because of alarms after which only an operator brings it back. Errors alone never count here. */
  readonly maxQuarantines: number;
  /** Clean windows while it serves after which earlier failures are forgotten. */
  readonly probationWindows: number;
  /** The first pause in quarantine; each further one is twice as long, up to the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

const NO_FAILURES: FailureRecord = Object.freeze({ intermittent: 0, quarantines: 0, errors: 0 });

/** Of a pipeline that has read nothing yet. */
export const INITIAL_STATE: PipelineState = Object.freeze({
  kind: 'starting',
  clean: 0,
  record: NO_FAILURES,
});

/**
 * What becomes of a state. The whole relation stands here.
 * @throws PIPELINE_TRANSITION when the input cannot occur in that state.
 */
export function transition(
  state: PipelineState,
  input: PipelineInput,
  policy: RecoveryPolicy,
): PipelineState {
  if (input === 'close') return { kind: 'closed' };
  switch (state.kind) {
    case 'starting':
    case 'qualified':
    case 'requalifying':
      if (input === 'window-passed') return passed(state, policy);
      if (input === 'intermittent-alarm') return suspected(state.record, policy);
      if (input === 'permanent-alarm') return quarantined(state.record, policy);
      if (input === 'source-error') return failed(state.record, policy);
      break;
    case 'quarantined':
      if (input === 'pause-over') return { kind: 'requalifying', clean: 0, record: state.record };
      if (input === 'requalify') return { kind: 'requalifying', clean: 0, record: NO_FAILURES };
      break;
    case 'out-of-service':
      if (input === 'requalify') return { kind: 'requalifying', clean: 0, record: NO_FAILURES };
      break;
    case 'closed':
      break;
  }
  throw new SymmetraError(
    'PIPELINE_TRANSITION',
    `${input} cannot occur to a pipeline that is ${state.kind}`,
    {
      state: state.kind,
      input,
    },
  );
}

type Reading = Extract<PipelineState, { readonly clean: number }>;

/** Whether the pipeline reads its source in this state. */
export function reads(state: PipelineState): state is Reading {
  return state.kind === 'starting' || state.kind === 'qualified' || state.kind === 'requalifying';
}

function passed({ kind, clean, record }: Reading, policy: RecoveryPolicy): PipelineState {
  if (kind === 'qualified') {
    return { kind, clean: clean + 1, record: clean + 1 < policy.probationWindows ? record : NO_FAILURES };
  }
  if (clean + 1 < policy.qualifyingWindows) return { kind, clean: clean + 1, record };
  return { kind: 'qualified', clean: 0, record: { ...record, errors: 0 } };
}

function suspected(record: FailureRecord, policy: RecoveryPolicy): PipelineState {
  const intermittent = record.intermittent + 1;
  if (intermittent >= policy.maxIntermittent) return quarantined(record, policy);
  return { kind: 'requalifying', clean: 0, record: { ...record, intermittent } };
}

function quarantined(record: FailureRecord, policy: RecoveryPolicy): PipelineState {
  const quarantines = record.quarantines + 1;
  if (quarantines > policy.maxQuarantines) return { kind: 'out-of-service' };
  const pauseMs = pauseAfter(quarantines, policy);
  return { kind: 'quarantined', pauseMs, record: { ...record, intermittent: 0, quarantines } };
}

function failed(record: FailureRecord, policy: RecoveryPolicy): PipelineState {
  const errors = record.errors + 1;
  return { kind: 'quarantined', pauseMs: pauseAfter(errors, policy), record: { ...record, errors } };
}

function pauseAfter(failures: number, { firstPauseMs, longestPauseMs }: RecoveryPolicy): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1));
}
