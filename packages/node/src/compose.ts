import { suites } from '@symmetra/crypto';
import { createServer } from '@symmetra/rpc';
import { adminHandlers } from './admin/admin-service.js';
import { SignedCalls } from './admin/signed-calls.js';
import { AuditLog } from './audit/audit-log.js';
import { assembleControl } from './control/assemble.js';
import { ControlState } from './control/control-state.js';
import { adoptDescriptor } from './control/descriptor-row.js';
import { Enforcement } from './control/enforcement.js';
import { Heartbeats } from './control/heartbeats.js';
import type { FreshnessSettings } from './control/heartbeats.js';
import { LogRows } from './control/log-rows.js';
import { DeviceRegistry } from './devices/device-registry.js';
import { EnrolmentService } from './enrolment/enrolment-service.js';
import { Introducer } from './enrolment/introducer.js';
import { Introductions } from './enrolment/introductions.js';
import { TokenRows } from './enrolment/token-rows.js';
import { assembleGroups } from './group/groups.js';
import { checkIdentity } from './identity/node-identity.js';
import { DeviceLink } from './link/device-link.js';
import { LinkTable } from './link/link-table.js';
import { DescriptorExchange } from './network/descriptor-exchange.js';
import { NetworkService } from './network/network-service.js';
import type { NodePorts, RunningNode } from './node-ports.js';
import { Acknowledge } from './pairwise/acknowledge.js';
import { Deliveries } from './pairwise/deliveries.js';
import { Negotiate } from './pairwise/negotiate.js';
import { Relay } from './pairwise/relay.js';
import { Report } from './pairwise/report.js';
import { EventSender } from './presence/event-sender.js';
import { Presences } from './presence/presences.js';
import { SessionTable } from './presence/session-table.js';
import { Challenges } from './ratchet/challenges.js';
import { RatchetService } from './ratchet/ratchet-service.js';
import { Siblings } from './replicas/siblings.js';
import { CallRouter } from './routing/call-router.js';
import { SiblingCalls } from './routing/sibling-calls.js';
import { SealedCalls } from './session/sealed-calls.js';
import { SessionService } from './session/session-service.js';
import { Synchronisation } from './session/synchronisation.js';
import { PairRows } from './shares/pair-rows.js';
import { PendingShares } from './shares/pending-shares.js';
import { RevokedKeys } from './shares/revoked-keys.js';
import { Sweeper } from './shares/sweeper.js';
import { sweptTables } from './shares/swept-tables.js';

const STOP_MS = 3000;
const FRESHNESS: FreshnessSettings = { maxStalenessMs: 5000, heartbeatMs: 1000 };

/**
 * Builds one node, top to bottom, and starts it.
 * @throws PORT_IN_USE, LISTEN_FAILED, NODE_DIFFERS, DESCRIPTOR_OLD, ROOT_MISMATCH, LOG_BROKEN, and what the store throws
 */
export async function startNode(ports: NodePorts): Promise<RunningNode> {
  const { identity, store, isShared = false, bus, clock, host, port, reflection } = ports;
  const { randomness } = ports;
  const { bytes: random, requireEntropy } = randomness;
  const logger = ports.logger.child({ node: identity.id });

  // What the node knows.
  const descriptor = await adoptDescriptor(store, ports.descriptor);
  checkIdentity(identity, descriptor);
  const state = new ControlState(
    identity,
    ports.descriptor,
    descriptor,
    ports.suites ?? suites,
    ports.snapshotEvery,
  );
  const log = new LogRows(store);
  await log.replay(state);
  const audit = new AuditLog(logger);
  const devices = new DeviceRegistry(store, state, isShared);
  const tokens = new TokenRows(store, clock);
  const shares = new PendingShares(store, isShared);
  const pairs = new PairRows(store);
  const revokedKeys = new RevokedKeys();
  await revokedKeys.load(store, state);

  const heartbeats = new Heartbeats({
    ...(ports.freshness ?? FRESHNESS),
    bus,
    clock,
    logger,
    state,
    catchUp: async (peer) => control.catchUp(peer),
    onChange: () => serve(),
    onIsolated: () => {
      logger.warn({ count: links.size }, 'The node reaches too few others; its devices go elsewhere.');
      links.closeAll('NODE_ISOLATED', 'the node reaches too few other nodes');
    },
    onDescriptor: (peer, version) => exchange.heard(peer, version),
  });

  // Who is there.
  const { self, instance } = bus;
  const siblings = new Siblings({ bus, clock, logger, store, isShared });
  const presences = new Presences({ store, clock, logger, self, instance, isShared });
  const sessions = new SessionTable(
    () => clock.monotonic(),
    (session) => presences.forget(session),
  );
  const links = new LinkTable();
  const events = new EventSender({ bus, clock, logger, sessions, presences, links, siblings });
  const groups = assembleGroups({
    bus,
    clock,
    logger,
    randomness,
    store,
    state,
    freshness: heartbeats,
    devices,
    presences,
    links,
    events,
    siblings,
  });
  const { members } = groups;

  // What administrators decide.
  const effects = new Enforcement({
    clock,
    logger,
    store,
    state,
    tokens,
    sessions,
    presences,
    links,
    events,
    shares,
    pairs,
    revokedKeys,
    members,
    onHalted: () => serve(),
    onEvent: () => heartbeats.noteEvent(),
  });
  const control = assembleControl({
    bus,
    stream: ports.log,
    clock,
    logger,
    store,
    state,
    rows: log,
    effects,
    audit,
    heartbeats,
    siblings,
  });
  const signed = new SignedCalls({
    clock,
    store,
    state,
    audit,
    handlers: adminHandlers({ state, log, control, devices, presences }),
  });

  // What devices ask.
  const challenges = new Challenges(random, () => clock.monotonic());
  const enrolment = new EnrolmentService({ clock, random, state, tokens, devices, audit });
  const introducer = new Introducer({ bus, state, devices });
  new Introductions({ bus, clock, store, state, devices, tokens, audit }).serve();
  const ratchet = new RatchetService({ random, state, devices, challenges, audit, bus, siblings });
  const deliveries = new Deliveries({
    clock,
    logger,
    freshness: heartbeats,
    state,
    devices,
    presences,
    events,
    shares,
  });
  const synchronisation = new Synchronisation({
    clock,
    logger,
    state,
    log,
    pairs,
    revokedKeys,
    presences,
    events,
    deliveries,
    members,
  });
  const session = new SessionService({
    instance,
    clock,
    random,
    state,
    devices,
    sessions,
    presences,
    challenges,
    synchronisation,
  });
  const negotiate = new Negotiate({ clock, store, state, devices, presences, shares, pairs, deliveries });
  const acknowledge = new Acknowledge(shares);
  const relay = new Relay({ bus, logger, devices, presences, events });
  const report = new Report(state, audit);
  const sealed = new SealedCalls({
    state,
    sessions,
    audit,
    logger,
    handlers: {
      '/symmetra.enrolment.v1.EnrolmentService/Introduce': async (own, request) => {
        await heartbeats.ensure();
        return introducer.answer(own, request);
      },
      '/symmetra.session.v1.SessionService/Attach': (...call) => session.attach(...call),
      '/symmetra.session.v1.SessionService/Close': (own) => session.close(own),
      '/symmetra.pairwise.v1.PairwiseService/Negotiate': async (own, request) => {
        requireEntropy();
        if (!heartbeats.isFresh) await heartbeats.ensure();
        return negotiate.answer(own, request);
      },
      '/symmetra.pairwise.v1.PairwiseService/Acknowledge': (own, request) => acknowledge.answer(own, request),
      '/symmetra.pairwise.v1.PairwiseService/Relay': (own, request) => relay.answer(own, request),
      '/symmetra.pairwise.v1.PairwiseService/Report': (own, request) => report.answer(own, request),
      ...groups.handlers,
    },
  });
  const siblingCalls = new SiblingCalls({
    bus,
    siblings,
    sealed,
    onLinked: (deviceHex) => void members.linked(deviceHex),
  });
  const router = new CallRouter({
    bus,
    state,
    audit,
    sealed,
    siblings: siblingCalls,
    open: {
      offer: async ({ offer }) => {
        requireEntropy();
        await heartbeats.ensure();
        return enrolment.offer(offer);
      },
      confirm: async ({ confirmation }) => enrolment.confirm(confirmation),
      step: async ({ r1 }) => {
        requireEntropy();
        return ratchet.step(r1);
      },
      commit: async ({ r3 }) => ratchet.commit(r3),
      prove: async ({ proof }) => ratchet.prove(proof),
      open: async ({ open }) => {
        requireEntropy();
        return session.open(open);
      },
    },
  });
  const exchange = new DescriptorExchange({ bus, store, state, logger, onDescriptor: ports.onDescriptor });
  const network = new NetworkService(state, log, exchange);

  // The door.
  const server = (ports.door ?? createServer)({
    host,
    port,
    clock,
    logger,
    reflection,
    handlers: {
      getDescriptor: async () => network.descriptor(),
      putDescriptor: async (request) => network.put(request),
      offer: async (request) => router.open('offer', request),
      confirm: async (request) => router.open('confirm', request),
      step: async (request) => router.open('step', request),
      commit: async (request) => router.open('commit', request),
      prove: async (request) => router.open('prove', request),
      open: async (request) => router.open('open', request),
      sealed: async (method, request) => router.sealed(method, request),
      signed: async (method, request) => signed.answer(method, request),
      link: (stream) => void new DeviceLink(stream, { self, instance, logger, router, links, presences }),
    },
  });
  // A node that is not fresh makes no keys; it stays up, and brings devices what administrators decided.
  const serve = (): void => server.setServing(isUp && !state.halted && heartbeats.seemsFresh);
  let isUp = false;

  // What goes on by itself.
  const sweeper = new Sweeper({
    clock,
    logger,
    store,
    isDue: groups.isSeat,
    tables: sweptTables({ clock, store, state, shares, tokens, shareExpiry: groups.shareExpiry }),
    also: () => {
      sessions.sweep();
      groups.staged.sweep();
    },
  });
  const stop = async (): Promise<void> => {
    isUp = false;
    serve();
    await control.stop();
    await sweeper.stop();
    await server.stop(STOP_MS);
    await groups.stop();
    events.stop();
    await siblings.stop();
    await bus.close();
    await ports.log.close();
    sessions.retain(() => false);
  };
  const start = async (): Promise<number> => {
    await siblings.start();
    const listening = await server.start();
    sweeper.start();
    await control.start();
    await groups.start();
    return listening;
  };
  const listening = await start().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  isUp = true;
  serve();
  logger.info({ address: host, port: listening, sequence: state.head.number }, 'The node is up.');

  return {
    id: identity.id,
    port: listening,
    descriptorVersion: descriptor.version,
    logNumber: () => state.head.number,
    submit: async (event) => control.submit(event),
    follow: async () => control.follow(),
    control: () => control.report(),
    load: () => ({ sessions: sessions.size, links: links.size }),
    sweep: async () => sweeper.run(),
    stop: async () => {
      await stop();
      logger.info('The node has stopped.');
    },
  };
}
