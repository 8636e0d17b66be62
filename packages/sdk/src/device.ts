import { EventEmitter } from 'node:events';
import { SymmetraError, toBase32, toHex } from '@symmetra/crypto';
import { promotionCode } from '@symmetra/protocol';
import type { CodePart } from '@symmetra/protocol';
import { assemble } from './assembly.js';
import type { Assembly, AssemblyListener } from './assembly.js';
import { stageOf } from './chain/stages.js';
import { openChannel } from './channel/open-channel.js';
import type { ChannelOptions } from './channel/open-channel.js';
import type { SecureChannel } from './channel/secure-channel.js';
import type { DeviceEvents } from './device-events.js';
import { statusOf } from './device-status.js';
import type { DeviceStatus } from './device-status.js';
import { advertisedAddresses } from './direct/addresses.js';
import type { Endpoint } from './direct/addresses.js';
import { Listener } from './direct/listener.js';
import { WORKING_STAGE } from './enrolment/enrolment-run.js';
import type { DeviceOptions, Foundation } from './foundation.js';
import { DeviceGroups } from './group/device-groups.js';
import { allDone, asSymmetraError, codeOf, mostTelling } from './failure.js';
import type { ExportedPsk, Key, KeyInfo, PendingKey } from './keys/key-info.js';
import type { KeyRecord } from './keys/key-record.js';
import { parsePeer } from './pairwise/negotiate-options.js';
import type { NegotiateOptions } from './pairwise/negotiate-options.js';
import type { DeviceRecord } from './state/records.js';
import { deviceClosed } from './timers.js';

const DEFAULT_HOST = '127.0.0.1';
/** What a ratchet step is asked for. */
export interface RatchetOptions {
  /** The stage of the workflow to ask for; default the present one, or `production` for a new device. */
  readonly stage?: string;
  readonly suite?: number;
}

/** A device of the network, as its owner uses it. */
export class Device extends EventEmitter<DeviceEvents> {
  /** Device id, 52 characters. */
  readonly id: string;
  readonly name: string;
  /** The groups that the device is in. */
  readonly group: DeviceGroups;
  readonly #parts: Assembly;
  #listener: Listener | undefined;
  #addresses: readonly string[] = [];
  #closing: Promise<void> | undefined;
  readonly #closers: (() => Promise<void>)[] = [];

  private constructor(parts: Assembly) {
    super();
    this.#parts = parts;
    this.id = toBase32(parts.device.deviceId);
    this.name = parts.device.name;
    this.group = new DeviceGroups(parts, async (task) => this.#whileOpen(task));
  }

  /** Builds the device of a state directory, and gives its maker the parts that are not for everybody. */
  static async build(
    foundation: Foundation,
    record: DeviceRecord,
    options: DeviceOptions,
  ): Promise<{ readonly device: Device; readonly parts: Assembly }> {
    const made: { device?: Device } = {};
    // Nothing is told before there is a device to tell it.
    const tell = (told: (to: Device) => void): void => {
      if (made.device !== undefined) told(made.device);
    };
    const listener: AssemblyListener = {
      key: (key) => tell((to) => to.#onKey(key)),
      channel: (channel) => made.device?.emit('channel', channel) ?? false,
      revoked: (revocation) => tell((to) => to.emit('revoked', revocation)),
      expired: (keys) => tell((to) => to.#onExpired(keys)),
      network: (change) => tell((to) => to.emit('network', change)),
      report: (report) => tell((to) => to.emit('report', report)),
      group: (group) => tell((to) => to.emit('group', group)),
      groupMessage: (message) => tell((to) => to.emit('groupMessage', message)),
      groupDue: (due) => tell((to) => to.emit('groupDue', due)),
      groupEnded: (ending) => tell((to) => to.emit('groupEnded', ending)),
      givenUp: (keyId, { code, message }) => tell((to) => to.#warn(code, `key ${keyId}: ${message}`)),
      failure: (error) => tell((to) => to.#onFailure(error)),
      addresses: () => (made.device === undefined ? [] : made.device.#addresses),
    };
    const parts = await assemble(foundation, record, options, listener);
    const device = new Device(parts);
    made.device = device;
    return { device, parts };
  }

  /** The stage that the device has reached at enough nodes. */
  get stage(): string {
    return stageOf(this.#parts);
  }

  status(): DeviceStatus {
    return statusOf(this.#parts);
  }

  /**
   * Takes a ratchet step at every node.
   * @returns where the device stands then, and the promotion code to compare with the administrators' console
   * @throws what most nodes answered, when too few took the step
   */
  async ratchet(options: RatchetOptions = {}): Promise<DeviceStatus & { readonly code: string }> {
    return this.#whileOpen(async () => this.#ratchet(options));
  }

  /**
   * Connects, and stays connected until the device is closed.
   * @throws NODE_UNREACHABLE, DEVICE_REVOKED, NOT_ENROLLED
   */
  async connect(): Promise<void> {
    this.#checkOpen();
    await this.#parts.connection.connect();
    this.#parts.ratchets.start();
    const { nodeClock } = this.#parts;
    if (nodeClock.isOff) this.#warn('CLOCK_OFF', "the clock of this device is far from the nodes' clocks");
  }

  /** Listens for peers: direct messages and channels on one TCP port. @throws PORT_IN_USE, ALREADY_LISTENING */
  async listen(options: { readonly host?: string; readonly port?: number } = {}): Promise<Endpoint> {
    this.#checkOpen();
    if (this.#listener !== undefined) {
      throw new SymmetraError('ALREADY_LISTENING', 'the device listens already');
    }
    const { paths, channels, connection } = this.#parts;
    this.#listener = new Listener({
      onDirect: (socket) => paths.accept(socket),
      onTls: (socket) => channels.take(socket),
    });
    try {
      const endpoint = await this.#listener.listen(options.host ?? DEFAULT_HOST, options.port ?? 0);
      this.#addresses = advertisedAddresses(endpoint);
      connection.announce();
      return endpoint;
    } catch (error) {
      this.#listener = undefined;
      throw error;
    }
  }

  /**
   * Agrees on a key with a peer. When the peer does not answer in time, the key goes on pending in the background and
   * the event `key` tells when it is there.
   * @throws BAD_PEER, PEER_SELF, BAD_OPTION; the nodes' code when too few approve; the peer's code when it refuses
   */
  async negotiate(peer: string, options: NegotiateOptions = {}): Promise<Key | PendingKey> {
    return this.#whileOpen(async () => this.#parts.negotiations.negotiate(parsePeer(peer), options));
  }

  /** All keys, those under way included. */
  keys(): readonly KeyInfo[] {
    const { keys, negotiations } = this.#parts;
    return [...keys.all().map((record) => keys.info(record)), ...negotiations.unfinished()];
  }

  /** @throws KEY_UNKNOWN, KEY_EXPIRED, KEY_USED_UP; why it was erased */
  key(keyId: string): Key {
    return this.#parts.keys.open(keyId);
  }

  /** Agrees on a key that takes the place of one; open channels move to it. @throws as negotiating does */
  async renew(keyId: string): Promise<Key | PendingKey> {
    return this.#whileOpen(async () => {
      const record = this.#parts.keys.usable(keyId);
      if (record.role === 'initiator') return this.#parts.schedule.renew(record);
      throw new SymmetraError('NOT_INITIATOR', 'the peer began this key, and renews it', { keyId });
    });
  }

  /** Drops the keys with a peer and all memory of it: the next key is a first contact. @throws BAD_PEER */
  async forget(peer: string): Promise<void> {
    const { keys, continuity, negotiations, channels } = this.#parts;
    this.#checkOpen();
    const id = parsePeer(peer);
    const error = new SymmetraError('PEER_FORGOTTEN', 'the peer was forgotten', { peer });
    const held = (): readonly string[] => keys.ofPeer(id).map((record) => toHex(record.material.keyId));
    channels.closeUnder(held(), error);
    await negotiations.abandon((_keyId, other) => toBase32(other) === peer, error);
    // Only now: a negotiation may have become a key meanwhile.
    const keyIds = held();
    channels.closeUnder(keyIds, error);
    await allDone([keys.erase(keyIds, error.code), continuity.forget(id)]);
  }

  /**
   * Opens a channel to a peer that listens: under a key that both hold, or a new one. Each use has a key of its own.
   * @throws PEER_UNREACHABLE, CHANNEL_REFUSED, PEER_SILENT when no key came about in time, and as negotiating does
   */
  async openChannel(peer: string, options: ChannelOptions = {}): Promise<SecureChannel> {
    return this.#whileOpen(async () => openChannel(this.#parts, parsePeer(peer), options));
  }

  /** The PSK and identity of one TLS connection outside the SDK; each call gives another one (CHN-3). */
  async exportPsk(keyId: string, role: 'client' | 'server'): Promise<ExportedPsk> {
    const { counters } = this.#parts;
    return this.#whileOpen(async () => {
      const psk =
        role === 'client' ? await counters.takeForClient(keyId) : await counters.takeForServer(keyId);
      return { identity: psk.identity, psk: psk.key.bytes };
    });
  }

  /** Ends the device; its state is free for another process then. Doing it again has no effect. */
  async close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  /** Ends something together with the device, before the device itself. */
  onClose(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async #ratchet(options: RatchetOptions): Promise<DeviceStatus & { readonly code: string }> {
    const { chains, stepper, descriptors, suiteId } = this.#parts;
    const outcomes = await Promise.allSettled(
      chains.nodes().map(async (nodeId) => {
        const { keys } = chains.get(nodeId);
        const stage = options.stage ?? (keys.epoch === 0 ? WORKING_STAGE : keys.stage);
        await stepper.step(nodeId, { suiteId: options.suite ?? suiteId(), stage });
      }),
    );
    const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    if (outcomes.length - failures.length < descriptors.current.threshold) throw mostTelling(failures);
    for (const failure of failures) this.#warn(codeOf(failure), 'a node did not take the ratchet step');
    return { ...this.status(), code: promotionCode(this.#codeParts()) };
  }

  async #shutDown(): Promise<void> {
    const parts = this.#parts;
    for (const close of this.#closers) await close();
    parts.channels.close(deviceClosed());
    parts.paths.close();
    await this.#listener?.close();
    await parts.connection.close();
    parts.completion.close(deviceClosed());
    parts.timers.close();
    parts.acknowledger.close();
    parts.negotiations.close();
    await parts.groups.close();
    await parts.keys.close();
    await parts.directory.close();
    parts.continuity.close();
    parts.sessions.close();
    parts.routes.close();
    parts.random.wipe();
  }

  #codeParts(): readonly CodePart[] {
    const { chains } = this.#parts;
    return chains.nodes().flatMap((nodeId) => {
      const chain = chains.get(nodeId);
      const code = chain.kind === 'settled' ? chain.code : undefined;
      return code === undefined ? [] : [code];
    });
  }

  #onKey(record: KeyRecord): void {
    const { keys, channels } = this.#parts;
    const key = keys.info(record);
    this.emit('key', key);
    const keyId = keys.renewedFrom(key.keyId);
    if (keyId === undefined) return;
    this.emit('renewed', { keyId, key });
    channels.move(keyId, key.keyId);
  }

  #onExpired(expired: readonly KeyInfo[]): void {
    const { channels } = this.#parts;
    for (const key of expired) {
      channels.closeUnder(
        [key.keyId],
        new SymmetraError('KEY_EXPIRED', 'the key of the channel has expired'),
      );
      this.emit('expired', key);
    }
  }

  #onFailure(error: unknown): void {
    if (this.#closing !== undefined) return;
    const { code, message } = asSymmetraError(error);
    this.#parts.logger.error({ code, err: error }, 'Something failed in the background.');
    this.#warn(code, message);
  }

  #warn(code: string, message: string): void {
    this.emit('warning', { code, message });
  }

  /** What is under way when the device is closed fails for that reason, wherever it stands. @throws DEVICE_CLOSED */
  async #whileOpen<T>(task: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    try {
      return await task();
    } catch (error) {
      throw this.#closing === undefined ? error : deviceClosed();
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw deviceClosed();
  }
}
