import { SymmetraError, toHex } from '@symmetra/crypto';
import {
  LINK_ANSWER,
  LINK_CONFIRM,
  LINK_DONE,
  LINK_HEADER_LENGTH,
  LINK_OPEN,
  LINK_SEALED,
  linkNumber,
  linkOf,
  nodeKeyHash,
} from '@symmetra/protocol';
import type { FormerLink, LinkEnd, LinkKeys } from '@symmetra/protocol';
import type { WireAddress } from '../wire.js';
import type { HeldLink, PeerProcess } from './held-link.js';
import { IncomingHandshakes } from './incoming.js';
import { selfOf } from './link-world.js';
import type { FailureReason, LinkWorld } from './link-world.js';
import type { LinkedBusOptions } from './options.js';
import { OutgoingHandshakes } from './outgoing.js';
import type { Beginning } from './outgoing.js';
import { PeerTable } from './peer-table.js';

const HOUR_MS = 3_600_000;
/** A datagram takes on frames up to this length; one long frame may be longer. */
const BATCH_BYTES = 64 * 1024;
/** Bytes of the AEAD's tag. */
const TAG_BYTES = 16;
/** LINK-7: how often it is looked for what is due, at most. */
const TICK_MS = 1000;
const TICKS_OF_A_LINK = 20;
const NOTHING = new Uint8Array(0);

/** Who uses the links. */
export interface LinksListener {
  /** What a datagram of the process held. @throws BAD_ENCODING */
  frames(process: PeerProcess, frames: Uint8Array): void;
  /** This end sends on a link with the process now. */
  opened(process: PeerProcess): void;
  /** Nobody listens where the process was, or was looked for; not authentic. */
  absent(nodeId: string, instance: string | undefined): void;
  /** A link with the process, or any of the node, did not come about. */
  failed(nodeId: string, instance: string | undefined): void;
  /** The process left, or its node has other keys, or too many of its node are known: it is forgotten. */
  gone(process: PeerProcess): void;
}

/** All links of this process: opens, renews and ends them, seals and opens what goes over them (LINK-1 to LINK-8). */
export class Links {
  readonly #options: LinkedBusOptions;
  readonly #listener: LinksListener;
  readonly #renewMs: number;
  readonly #outgoing: OutgoingHandshakes;
  readonly #incoming: IncomingHandshakes;
  readonly #peers: PeerTable;
  readonly batchBytes: number;
  #tick: { cancel(): void } | undefined;
  #closed = false;

  /** Listens on the wire from now on. @throws NODE_DIFFERS */
  constructor(options: LinkedBusOptions, listener: LinksListener) {
    this.#options = options;
    this.#listener = listener;
    this.#renewMs = options.renewMs ?? HOUR_MS;
    this.batchBytes = Math.min(BATCH_BYTES, options.wire.maxDatagramBytes - LINK_HEADER_LENGTH - TAG_BYTES);
    const world: LinkWorld = {
      options,
      self: selfOf(options),
      former: (nodeId, instance, linkId) => this.#former(nodeId, instance, linkId),
      complete: (keys, role, keyHash) => this.#complete(keys, role, keyHash),
      failed: (nodeId, instance, reason) => this.#failed(nodeId, instance, reason),
      refused: (error, node) => this.#refused(error, node),
    };
    this.#outgoing = new OutgoingHandshakes(world);
    this.#incoming = new IncomingHandshakes(world);
    this.#peers = new PeerTable(this.batchBytes);
    options.wire.listen(
      (datagram) => this.#receive(datagram),
      (to) => this.#absent(to),
    );
  }

  /** A process of the node that can be sent to now; undefined when there is none yet. */
  reachable(nodeId: string, now: number): PeerProcess | undefined {
    return this.#peers.reachable(nodeId, now);
  }

  /** That process of the node, if it is known. */
  find(nodeId: string, instance: string): PeerProcess | undefined {
    return this.#peers.find(nodeId, instance);
  }

  /** That process of the node, known from now on. */
  process(end: LinkEnd): PeerProcess {
    const known = this.#peers.find(end.nodeId, end.instance);
    if (known !== undefined) return known;
    this.#startTick();
    const { process, dropped } = this.#peers.take(end);
    if (dropped !== undefined) this.#listener.gone(dropped);
    return process;
  }

  /** LINK-8: what waits for processes of the node that were named, and that there is no link with. */
  waitingForStrangers(nodeId: string): { readonly frames: number; readonly bytes: number } {
    return this.#peers.waitingForStrangers(nodeId);
  }

  /** Has a link come about. */
  open(nodeId: string, instance: string | undefined): Beginning {
    return this.#outgoing.begin(nodeId, instance);
  }

  /** LINK-5: seals what waits for the process, one datagram or as many as it needs; without a link it goes on waiting. */
  send(process: PeerProcess, now: number): void {
    const link = process.sending(now);
    if (link === undefined) return;
    const { wire } = this.#options;
    const to = { node: process.nodeId, instance: process.instance };
    if (process.batch.bytes > 0) process.batch.drain((frames) => wire.send(to, link.cipher.seal(frames)));
    else if (process.owed) wire.send(to, link.cipher.seal(NOTHING));
    process.owed = false;
  }

  /** LINK-7: links with nodes whose keys the newest descriptor changed end at once. */
  keysChanged(): void {
    const hashOf = (nodeId: string): string | undefined => {
      const node = this.#options.peers(nodeId);
      return node && toHex(nodeKeyHash(node));
    };
    for (const process of this.#peers.all()) {
      const keyHash = hashOf(process.nodeId);
      if (process.links.some((link) => link.keyHash !== keyHash)) this.#forget(process);
    }
    const changed = (nodeId: string, keyHash: Uint8Array): boolean => hashOf(nodeId) !== toHex(keyHash);
    this.#outgoing.abandon(changed);
    this.#incoming.abandon(changed);
  }

  /** LINK-6: says farewell to every process, and erases all keys. */
  async close(): Promise<void> {
    this.#closed = true;
    const now = this.#options.clock.monotonic();
    for (const process of this.#peers.all()) {
      process.batch.farewell();
      this.send(process, now);
      this.#peers.remove(process);
    }
    this.#tick?.cancel();
    this.#outgoing.stop();
    this.#incoming.abandon(() => true);
    await this.#options.wire.close();
  }

  #receive(datagram: Uint8Array): void {
    if (this.#closed) return;
    try {
      const kind = datagram[0];
      if (kind === LINK_SEALED) this.#receiveSealed(datagram);
      else if (kind === LINK_OPEN) this.#receiveOpen(datagram);
      else if (kind === LINK_ANSWER) this.#outgoing.receiveAnswer(datagram);
      else if (kind === LINK_CONFIRM) this.#incoming.receiveConfirm(datagram);
      else if (kind === LINK_DONE) this.#outgoing.receiveDone(datagram);
      else throw new SymmetraError('BAD_ENCODING', 'the datagram is of no known kind');
    } catch (error) {
      this.#refused(error);
    }
  }

  #receiveOpen(datagram: Uint8Array): void {
    this.#startTick();
    this.#incoming.receiveOpen(datagram);
  }

  /** LINK-5, and LINK-4 where it is the first datagram on the responder's side. */
  #receiveSealed(datagram: Uint8Array): void {
    const link = this.#peers.link(linkOf(datagram));
    if (link === undefined) throw new SymmetraError('LINK_UNKNOWN', 'the datagram belongs to no link here');
    const { process } = link;
    const frames = link.cipher.open(datagram);
    process.verified(link, this.#options.clock.monotonic());
    if (!link.open) this.#opened(link);
    this.#listener.frames(process, frames);
  }

  /** LINK-4: both ends hold the keys, or will when this one has sent LINK-4. */
  #complete(keys: LinkKeys, role: 'initiator' | 'responder', keyHash: Uint8Array): void {
    const now = this.#options.clock.monotonic();
    const process = this.process(role === 'initiator' ? keys.responder : keys.initiator);
    const terms = { now, renewMs: this.#renewMs, keyHash: toHex(keyHash) };
    const { link, dropped } = process.hold(keys, role, terms);
    this.#peers.add(link, dropped);
    if (role === 'initiator') this.#opened(link);
  }

  #opened(link: HeldLink): void {
    const { process } = link;
    const renewed = process.links.length > 1;
    process.absent = false;
    process.opened(link);
    this.#options.onLink?.({ node: process.nodeId, instance: process.instance, renewed });
    this.#listener.opened(process);
  }

  #former(nodeId: string, instance: string, linkId: Uint8Array | undefined): FormerLink | undefined {
    const process = this.#peers.find(nodeId, instance);
    if (linkId === undefined) return process?.sending(this.#options.clock.monotonic())?.cipher.former;
    if (linkId.length === 0) return undefined;
    const number = linkNumber(linkId);
    return process?.links.find((link) => link.number === number)?.cipher.former;
  }

  #failed(nodeId: string, instance: string | undefined, reason: FailureReason): void {
    const process = instance === undefined ? undefined : this.#peers.find(nodeId, instance);
    const serves = process?.sending(this.#options.clock.monotonic()) !== undefined;
    if (process !== undefined) process.absent = true;
    if (serves) return;
    if (reason === 'absent') this.#listener.absent(nodeId, instance);
    else this.#listener.failed(nodeId, instance);
  }

  #absent(to: WireAddress): void {
    if (this.#closed) return;
    if (to.instance !== undefined) {
      const process = this.#peers.find(to.node, to.instance);
      if (process !== undefined) process.absent = true;
      this.#listener.absent(to.node, to.instance);
    }
    this.#outgoing.absent(to.node, to.instance);
  }

  #forget(process: PeerProcess): void {
    this.#peers.remove(process);
    this.#listener.gone(process);
  }

  /** LINK-6: the process said farewell. */
  left(process: PeerProcess): void {
    this.#forget(process);
  }

  #startTick(): void {
    if (this.#tick !== undefined || this.#closed) return;
    const pause = Math.min(TICK_MS, Math.ceil(this.#renewMs / TICKS_OF_A_LINK));
    this.#tick = this.#options.clock.setTimer(pause, () => {
      this.#tick = undefined;
      this.#look(this.#options.clock.monotonic());
    });
  }

  /** LINK-7, LINK-8: renews what is due, and erases what has had its time. */
  #look(now: number): void {
    this.#incoming.sweep(now);
    this.#outgoing.sweep(now);
    for (const process of this.#peers.all()) {
      this.#peers.erase(process, (link) => now >= link.eraseAt);
      if (!process.absent && process.overdue(now)) this.#outgoing.begin(process.nodeId, process.instance);
      if (process.links.length === 0 && process.batch.bytes === 0) this.#peers.remove(process);
    }
    if (this.#peers.size > 0 || this.#incoming.size > 0) this.#startTick();
  }

  #refused(error: unknown, node?: string): void {
    if (!(error instanceof SymmetraError)) {
      this.#options.onFailure?.('link', error);
      return;
    }
    const { code, message } = error;
    this.#options.onRefused?.(node === undefined ? { code, message } : { code, message, node });
  }
}
