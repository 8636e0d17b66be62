import type { Chains } from '../chain/chains.js';
import type { EnrolmentCompletion } from '../enrolment/completion.js';
import type { EnrolmentRuns } from '../enrolment/enrolment-run.js';
import type { Groups } from '../group/groups.js';
import type { Connection } from '../session/connection.js';
import type { Sessions } from '../session/sessions.js';
import type { DescriptorChange, DescriptorHeir } from './descriptors.js';

/** What of a device depends on the nodes of the network. */
export interface FollowingParts {
  readonly chains: Chains;
  readonly enrolments: EnrolmentRuns;
  readonly sessions: Sessions;
  readonly connection: Connection;
  readonly completion: EnrolmentCompletion;
  readonly groups: Groups;
  readonly onChange: (change: DescriptorChange) => void;
}

/**
 * CTL-2, ENR-9: has a device follow a newer descriptor. What it holds of nodes that are no more goes with the commit
 * that stores the descriptor; then it enrols with those that came.
 */
export function followDescriptor(parts: FollowingParts): DescriptorHeir {
  const { chains, enrolments, sessions, connection, completion, groups, onChange } = parts;
  return {
    leave: (removed) => {
      const dropped = chains.drop(removed);
      const ended = enrolments.ending(removed);
      return {
        rows: [...dropped.rows, ...ended.rows],
        done: () => {
          dropped.erase();
          ended.erase();
          for (const nodeId of removed) sessions.drop(nodeId);
          connection.drop(removed);
        },
        undone: () => dropped.restore(),
      };
    },
    changed: (change) => {
      completion.start();
      groups.descriptorChanged();
      onChange(change);
    },
  };
}
