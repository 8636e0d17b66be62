// Bugs that keep what concerns a device from it: in what nodes know of where it is, and in what its peers repeat.

const EVENTS = ['test/scenario/node-events.test.ts'];
const FRESHNESS = ['test/integration/node-freshness.test.ts'];
const PAIRWISE = ['test/integration/node-pairwise.test.ts'];
const REFUSALS = ['test/simulation/refusals.test.ts'];

/** @type {readonly import('./planted.mjs').Mutant[]} */
export const PRESENCE_MUTANTS = [
  {
    name: 'forgotten device taken for known',
    file: 'packages/node/src/session/session-service.ts',
    find: '!wasKnown || lastEvent',
    replace: 'lastEvent',
    breaks:
      'SES-7: a share that came while the device had no home rests until it expires, in sight of the device.',
    suites: PAIRWISE,
  },
  {
    name: 'presence row written blindly',
    file: 'packages/node/src/presence/presences.ts',
    find: 'store.commit([{ key, value, expect: row?.version ?? 0 }])',
    replace: 'store.commit([{ key, value }])',
    breaks:
      'SES-7: what another process of the node forgot at the same time counts as known: events are missing.',
    suites: EVENTS,
  },
  {
    name: 'nudge never sent',
    file: 'packages/node/src/presence/event-sender.ts',
    find: "if (carried === 'unreached') this.#nudges.begin(presence);",
    replace: 'void carried;',
    breaks:
      'SES-6: a revocation that did not reach the home waits for the device to ask by itself, a minute later.',
    suites: EVENTS,
  },
  {
    name: 'device forgotten with its home unreached',
    file: 'packages/node/src/presence/event-sender.ts',
    find: "logger.debug({ home, device: session.device, err: error }, 'An event did not reach the home node.');",
    replace: 'presences.forget(session);',
    breaks:
      'SES-6: one lost datagram between nodes, and a device that is there hears nothing of this node any more.',
    suites: EVENTS,
  },
  {
    name: 'isolation never noticed',
    file: 'packages/node/src/control/heartbeats.ts',
    find: 'const isNews = isIsolated && !this.#wasIsolated && !this.#stopped;',
    replace: 'const isNews = false;',
    breaks: 'CTL-7: the devices of a home that is cut off stay there, and hear of no revocation.',
    suites: FRESHNESS,
  },
  {
    name: 'isolation noticed in every round',
    file: 'packages/node/src/control/heartbeats.ts',
    find: 'if (!isNews || clock.monotonic() < this.#isolatedMs + ISOLATED_EVERY_MS) return;',
    replace: 'if (!isIsolated || this.#stopped) return;',
    breaks: 'CTL-7: where all nodes are isolated, devices go from one to the next without end.',
    suites: FRESHNESS,
  },
  {
    name: 'stale head taken for isolation',
    file: 'packages/node/src/control/peer-heads.ts',
    find: '.filter(({ askedMs }) => askedMs > since);',
    replace: '.filter(({ beat, askedMs }) => askedMs > since && isSame(beat.head, state.head));',
    breaks: 'CTL-7: whoever states other events drives the devices of an honest node away.',
    suites: FRESHNESS,
  },
  {
    name: 'any answer taken for serving',
    file: 'packages/sdk/src/session/home-doubts.ts',
    find: "(await routes.client(address).health()) === 'SERVING'",
    replace: "(await routes.client(address).health()) !== 'UNKNOWN'",
    breaks: 'PAIR-10: a node that is itself cut off has devices leave homes that do all they can.',
    suites: ['test/scenario/sdk-homes.test.ts'],
  },
  {
    name: 'refusal sent twice only',
    file: 'packages/sdk/src/pairwise/responder-runs.ts',
    find: '[3000, 10_000, 30_000, 90_000, 270_000]',
    replace: '[3000]',
    breaks: 'PAIR-7: whoever is out of reach for four seconds waits for an answer until the key expires.',
    suites: REFUSALS,
  },
  {
    name: 'refusal dies with its process',
    file: 'packages/sdk/src/pairwise/responder-runs.ts',
    find: 'ended.refusedSince(nodeClock.now() - sum(REFUSE_AGAIN_MS))',
    replace: '[]',
    breaks: 'PAIR-7: a refusal that was stored and not sent yet is never sent.',
    suites: REFUSALS,
  },
];
