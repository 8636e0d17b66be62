import type { LinkEnd } from '@symmetra/protocol';
import { PeerProcess } from './held-link.js';
import type { HeldLink } from './held-link.js';

/** LINK-8: processes of one node that are kept. */
const MAX_PROCESSES = 32;

/** The processes that this one has links with, or wants one with, and their links. */
export class PeerTable {
  readonly #batchBytes: number;
  readonly #nodes = new Map<string, PeerProcess[]>();
  readonly #links = new Map<bigint, HeldLink>();

  constructor(batchBytes: number) {
    this.#batchBytes = batchBytes;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** The process, if it is known. */
  find(nodeId: string, instance: string): PeerProcess | undefined {
    return this.#nodes.get(nodeId)?.find((process) => process.instance === instance);
  }

  /** The process, known from now on; of too many of one node the one goes that was silent for longest. */
  take(end: LinkEnd): { readonly process: PeerProcess; readonly dropped: PeerProcess | undefined } {
    const known = this.find(end.nodeId, end.instance);
    if (known !== undefined) return { process: known, dropped: undefined };
    const processes = this.#nodes.get(end.nodeId) ?? [];
    const dropped =
      processes.length < MAX_PROCESSES
        ? undefined
        : processes.reduce((oldest, one) => (one.heardAt < oldest.heardAt ? one : oldest));
    if (dropped !== undefined) this.remove(dropped);
    const process = new PeerProcess(end, this.#batchBytes);
    this.#nodes.set(end.nodeId, [...(this.#nodes.get(end.nodeId) ?? []), process]);
    return { process, dropped };
  }

  /** LINK-8: what waits for processes of the node that there is no link with. */
  waitingForStrangers(nodeId: string): { readonly frames: number; readonly bytes: number } {
    const waiting = { frames: 0, bytes: 0 };
    for (const { links, batch } of this.#nodes.get(nodeId) ?? []) {
      if (links.length > 0) continue;
      waiting.frames += batch.frames;
      waiting.bytes += batch.bytes;
    }
    return waiting;
  }

  /** A process of the node that this end can send to now, if there is one. */
  reachable(nodeId: string, now: number): PeerProcess | undefined {
    return this.#nodes.get(nodeId)?.find((process) => !process.absent && process.sending(now) !== undefined);
  }

  link(number: bigint): HeldLink | undefined {
    return this.#links.get(number);
  }

  add(link: HeldLink, dropped: readonly HeldLink[]): void {
    for (const gone of dropped) this.#links.delete(gone.number);
    this.#links.set(link.number, link);
  }

  /** Erases the links of a process that the test picks. */
  erase(process: PeerProcess, which: (link: HeldLink) => boolean): void {
    for (const link of process.erase(which)) this.#links.delete(link.number);
  }

  /** Forgets a process and erases its links. */
  remove(process: PeerProcess): void {
    this.erase(process, () => true);
    process.batch.clear();
    const left = (this.#nodes.get(process.nodeId) ?? []).filter((one) => one !== process);
    if (left.length === 0) this.#nodes.delete(process.nodeId);
    else this.#nodes.set(process.nodeId, left);
  }

  /** All processes, as they are now. */
  all(): readonly PeerProcess[] {
    return [...this.#nodes.values()].flat();
  }
}
