import type { SymmetraError } from '@symmetra/crypto';
import type { ProtocolContext } from '@symmetra/protocol';
import { Chains } from './chain/chains.js';
import { nextStage } from './chain/stages.js';
import { RatchetSchedule } from './chain/ratchet-schedule.js';
import { Stepper } from './chain/stepper.js';
import { Channels } from './channel/channels.js';
import { PskCounters } from './channel/psk-counters.js';
import type { SecureChannel } from './channel/secure-channel.js';
import { DirectPaths } from './direct/direct-paths.js';
import { EnrolmentCompletion } from './enrolment/completion.js';
import { EnrolmentRuns } from './enrolment/enrolment-run.js';
import { Introductions } from './enrolment/introductions.js';
import type { DeviceOptions, Foundation } from './foundation.js';
import { Groups } from './group/groups.js';
import type { GroupListener } from './group/groups.js';
import { EndedKeys } from './keys/ended-keys.js';
import type { KeyInfo } from './keys/key-info.js';
import type { KeyRecord } from './keys/key-record.js';
import { KeySchedule } from './keys/key-schedule.js';
import { KeyStore } from './keys/key-store.js';
import { Descriptors } from './network/descriptors.js';
import type { DescriptorChange } from './network/descriptors.js';
import { followDescriptor } from './network/follow-descriptor.js';
import { NodeClock } from './network/node-clock.js';
import { NodeRoutes } from './network/node-routes.js';
import { fromNotice } from './network/notice.js';
import { Policies } from './network/policies.js';
import { Acknowledger } from './pairwise/acknowledger.js';
import { ContinuityBook } from './pairwise/continuity-book.js';
import { Messenger } from './pairwise/messenger.js';
import { Negotiations } from './pairwise/negotiations.js';
import { renewKey } from './pairwise/renew-key.js';
import { Reports } from './pairwise/reports.js';
import type { DeliveryReport } from './pairwise/reports.js';
import { Revocations } from './revocations.js';
import type { Revocation } from './revocations.js';
import type { DeviceEvent } from './session/attachments.js';
import { Connection } from './session/connection.js';
import { SealedCalls } from './session/sealed-calls.js';
import { Sessions } from './session/sessions.js';
import type { DeviceRecord } from './state/records.js';
import { Timers } from './timers.js';

const DAY_MS = 24 * 3_600_000;
const MIN_RATCHET_MS = 1000;

/** What the parts of a device tell it. */
export interface AssemblyListener extends GroupListener {
  key(record: KeyRecord): void;
  channel(channel: SecureChannel): boolean;
  revoked(revocation: Revocation): void;
  expired(keys: readonly KeyInfo[]): void;
  report(report: DeliveryReport): void;
  network(change: DescriptorChange): void;
  givenUp(keyId: string, error: SymmetraError): void;
  /** Addresses at which peers reach the device. */
  addresses(): readonly string[];
}

/** The parts of one device. */
export type Assembly = Awaited<ReturnType<typeof assemble>>;

/** Builds a device from its stored rows, from the bottom up. Nothing is sent before it is connected. */
export async function assemble(
  foundation: Foundation,
  device: DeviceRecord,
  options: DeviceOptions,
  listener: AssemblyListener,
) {
  const { state, random, clock, logger, ports } = foundation;
  const { suites } = ports;
  const { deviceId } = device;
  const context: ProtocolContext = { networkId: device.networkId, suites };
  const timers = new Timers(clock);
  const nodeClock = await NodeClock.load(clock, state);
  const routes = new NodeRoutes(ports.connect, deviceId[0] ?? 0);
  const descriptors = await Descriptors.load(state, routes, device);
  const policies = await Policies.load(state, descriptors, suites.ids());
  const suiteId = (): number => policies.suiteFor(options.suite ?? device.suiteId);

  const chains = await Chains.load(state);
  const stepper = new Stepper({ context, chains, routes, descriptors, policies, random, clock, logger });
  const everyMs = Math.max(MIN_RATCHET_MS, options.ratchetEvery ?? DAY_MS);
  const stage = (nodeId: string): string => nextStage({ chains, policies, descriptors }, nodeId);
  const ratchets = new RatchetSchedule({
    chains,
    stepper,
    random,
    timers,
    clock,
    logger,
    everyMs,
    suiteId,
    stage,
  });
  const introductions = await Introductions.load({
    context,
    device,
    state,
    chains,
    descriptors,
    connection: () => connection,
    random,
  });
  const enrolments = await EnrolmentRuns.load({
    context,
    device,
    state,
    chains,
    stepper,
    routes,
    descriptors,
    introductions,
    random,
    stage,
    suiteId,
  });
  const completion: EnrolmentCompletion = new EnrolmentCompletion({
    runs: enrolments,
    random,
    timers,
    logger,
    threshold: () => descriptors.current.threshold,
    ready: () => chains.ready().length,
    onProgress: () => connection.announce(),
    onRefused: (error) => listener.failure(error),
  });

  const sessions = new Sessions({
    context,
    chains,
    stepper,
    routes,
    descriptors,
    nodeClock,
    random,
    timers,
    suiteId,
  });
  const connection: Connection = new Connection({
    chains,
    sessions,
    calls: new SealedCalls(sessions, timers),
    routes,
    descriptors,
    random,
    timers,
    logger,
    deviceId,
    addresses: () => listener.addresses(),
    onEvent: (nodeId, event) => receive(nodeId, event),
    groups: {
      broadcast: (broadcast) => groups.broadcast(broadcast),
      groupMessage: (message) => groups.groupMessage(message),
    },
    onBound: () => {
      messenger.hurryAll();
      completion.start();
      groups.bound();
    },
  });

  const ended = await EndedKeys.load(state);
  const keys = await KeyStore.load(state, ended, nodeClock);
  keys.listen({ used: (record) => schedule.consider(record), failed: (error) => listener.failure(error) });
  const continuity = await ContinuityBook.load(state);
  const paths: DirectPaths = new DirectPaths({
    timers,
    onMessage: (message) => negotiations.receive(message, true),
    onHello: (keyId) => negotiations.hello(keyId),
  });
  const connected = (): Connection => connection;
  const messenger = new Messenger({ connection: connected, paths, random, timers, logger });
  const acknowledger = new Acknowledger(connected, logger);
  const reports = new Reports({
    connection: connected,
    chains,
    timers,
    logger,
    onReport: (report) => listener.report(report),
  });
  const negotiations: Negotiations = await Negotiations.load(
    {
      context,
      deviceId,
      state,
      keys,
      ended,
      continuity,
      descriptors,
      policies,
      nodeClock,
      random,
      timers,
      logger,
      connection: connected,
      paths,
      messenger,
      acknowledger,
      reports,
      onKey: (record) => {
        listener.key(record);
        schedule.consider(record);
      },
      onGivenUp: (keyId, error) => listener.givenUp(keyId, error),
      onFailure: (error) => listener.failure(error),
      isListening: () => listener.addresses().length > 0,
    },
    suiteId,
  );

  const counters = new PskCounters(context, keys, random.bytes);
  const channels = new Channels({
    keys,
    counters,
    random,
    timers,
    logger,
    onChannel: (channel) => listener.channel(channel),
    onIdle: () => schedule.kick(),
  });
  const schedule: KeySchedule = new KeySchedule({
    keys,
    ended,
    nodeClock,
    timers,
    logger,
    isBusy: (keyId) => channels.uses(keyId),
    renew: async (record) => renewKey(negotiations, record, policies.suites),
    sweepRuns: async (nowMs) => negotiations.sweep(nowMs),
    onExpired: (expired) => listener.expired(expired),
    onFailure: (error) => listener.failure(error),
  });
  const groups = await Groups.load({
    context,
    deviceId,
    state,
    descriptors,
    policies,
    nodeClock,
    random,
    timers,
    logger,
    connection: connected,
    listener,
  });
  const onChange = (change: DescriptorChange): void => listener.network(change);
  descriptors.onChange(
    followDescriptor({ chains, enrolments, sessions, connection, completion, groups, onChange }),
  );
  const revocations = new Revocations({
    deviceId,
    state,
    descriptors,
    policies,
    nodeClock,
    keys,
    ended,
    continuity,
    negotiations,
    channels,
    groups,
    logger,
    onRevoked: (revocation) => listener.revoked(revocation),
  });

  /** An event of a node: bytes that are kept are copied out of the frame. */
  function receive(nodeId: string, { delivery, message, notice, groupWelcome }: DeviceEvent): void {
    if (delivery?.granted) {
      const { header, share, ephemeralKey, granted, initiator } = delivery;
      negotiations.deliver(nodeId, {
        header: new Uint8Array(header),
        share: new Uint8Array(share),
        ephemeralKey: new Uint8Array(ephemeralKey),
        granted,
        addresses: initiator?.addresses ?? [],
      });
    }
    if (message) negotiations.receive(new Uint8Array(message.message), false);
    if (groupWelcome) groups.welcome(nodeId, groupWelcome);
    if (notice) void revocations.receive(nodeId, fromNotice(notice));
  }

  return {
    ...foundation,
    device,
    context,
    timers,
    nodeClock,
    routes,
    descriptors,
    policies,
    suiteId,
    chains,
    stepper,
    ratchets,
    enrolments,
    completion,
    sessions,
    connection,
    keys,
    ended,
    continuity,
    paths,
    messenger,
    acknowledger,
    negotiations,
    counters,
    channels,
    schedule,
    groups,
  };
}
