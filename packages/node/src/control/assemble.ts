import type { Bus, LogStream } from '@symmetra/bus';
import type { Clock, Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { AuditLog } from '../audit/audit-log.js';
import { ControlLog } from './control-log.js';
import type { EventEffects } from './control-log.js';
import type { Siblings } from '../replicas/siblings.js';
import type { ControlState } from './control-state.js';
import type { Heartbeats, PeerReport } from './heartbeats.js';
import { History } from './history.js';
import type { LogRows } from './log-rows.js';
import { PeerLogs } from './peer-logs.js';
import { SnapshotExchange } from './snapshot-exchange.js';
import { StreamFollower } from './stream-follower.js';
import { Submission } from './submission.js';

/** What a node knows of the control log, for metrics and for people. */
export interface ControlReport {
  /** Number of the newest event in force. */
  readonly number: number;
  /** Whether k nodes agree on it (CTL-7), or are being asked about one that has just come. */
  readonly isFresh: boolean;
  readonly isHalted: boolean;
  readonly peers: readonly PeerReport[];
  /** Events that somebody handed on and no administrator signed as they were. */
  readonly forged: number;
  /** How often the ordered log was found truncated or made anew. */
  readonly logsLost: number;
}

export interface ControlParts {
  readonly bus: Bus;
  readonly stream: LogStream;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly state: ControlState;
  readonly rows: LogRows;
  readonly effects: EventEffects;
  readonly audit: AuditLog;
  readonly heartbeats: Heartbeats;
  readonly siblings: Siblings;
}

/** The control log at one node, put together. */
export interface Control {
  readonly submit: Submission['submit'];
  readonly catchUp: PeerLogs['catchUp'];
  /** Fetches the events that were missed. Never fails. */
  readonly follow: () => Promise<void>;
  readonly report: () => ControlReport;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export function assembleControl(parts: ControlParts): Control {
  const { heartbeats, state } = parts;
  const log = new ControlLog({ ...parts, othersAt: async (number) => peers.eventsAt(number) });
  const peers = new PeerLogs({ ...parts, log });
  const stream = new StreamFollower({ ...parts, log, peers });
  const snapshots = new SnapshotExchange(parts);
  const history = new History({ ...parts, peers });
  const submission = new Submission({ ...parts, log, stream, peers });
  const follow = async (): Promise<void> => {
    await stream.look();
    await heartbeats.ask();
  };

  return {
    submit: async (signed) => submission.submit(signed),
    catchUp: async (peer) => peers.catchUp(peer),
    follow,
    report: () => ({
      number: state.head.number,
      isFresh: heartbeats.seemsFresh,
      isHalted: state.halted,
      peers: heartbeats.peers,
      forged: peers.forged,
      logsLost: stream.lost,
    }),
    start: async () => {
      await log.begin(async () => snapshots.begin());
      log.start();
      history.start();
      // CTL-3: the other nodes have what the ordered log alone does not prove any more.
      await heartbeats.ask();
      await stream.start();
      await heartbeats.ask();
      heartbeats.start();
    },
    stop: async () => {
      heartbeats.stop();
      peers.stop();
      await log.stop();
      await history.stop();
      await stream.stop();
    },
  };
}
