/** CTL-7: whether this node knows that it misses no control event, and so may make and hand out keys. */
export interface Freshness {
  readonly isFresh: boolean;
  /** Asks the others first when it is not known; takes a second at most. @throws NODE_STALE, NODE_HALTED */
  ensure(): Promise<void>;
  /** Runs a task as soon as the node is fresh; of several of one name the last. A node that stops runs none. */
  whenFresh(name: string, task: () => void): void;
}
