/**
 * What a process calls out to all others of its node: its name, and nothing else. Whoever carries it may lose, repeat and
 * invent it, so nothing is believed because of it: who hears a name asks that process, over a link.
 */
export interface Hails {
  /** Calls out the name of this process, once. */
  hail(): void;
  /** Has the one listener told of names, of which this process's own is none. Fulfilled when every later call is heard. */
  listen(onHail: (instance: string) => void): Promise<void>;
  close(): void;
}
