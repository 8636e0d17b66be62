// Bugs in what several processes of one node share.

const PARTS = ['test/scenario/node-replicas.test.ts'];
const NODES = ['test/integration/node-replicas.test.ts'];

/** @type {readonly import('./planted.mjs').Mutant[]} */
export const REPLICA_MUTANTS = [
  {
    name: 'seat taken before the others are known',
    file: 'packages/node/src/group/group-seat.ts',
    find: 'if (!this.#isReady) {',
    replace: 'if (false) {',
    breaks: 'GRP-5: a process that starts takes the work on groups from one that lives; both do half of it.',
    suites: PARTS,
  },
  {
    name: 'groups written without a fence',
    file: 'packages/node/src/group/group-table.ts',
    find: '{ key, value, expect: group.version }',
    replace: '{ key, value }',
    breaks: 'GRP-11: a process that was stopped rolls a group back.',
    suites: PARTS,
  },
  {
    name: 'version of another process taken for the own',
    file: 'packages/node/src/group/group-table.ts',
    find: 'const isOurs = stored !== undefined && equalConstantTime(stored.value, value);',
    replace: 'const isOurs = stored !== undefined;',
    breaks: 'GRP-11: a process that was stopped behind its commit rolls a group back with the next.',
    suites: PARTS,
  },
  {
    name: 'work taken up once',
    file: 'packages/node/src/group/group-seat.ts',
    find: 'if (this.isHere && !this.#stopped) void this.#takeUp(',
    replace: 'if (false) void this.#takeUp(',
    breaks: 'GRP-10: a store that is away for a moment leaves groups of revoked devices as they are.',
    suites: PARTS,
  },
  {
    name: 'silent process never gone',
    file: 'packages/node/src/replicas/siblings.ts',
    find: 'else if (silentMs <= LEASE_MS && !seen.isGone) others.push(instance);',
    replace: 'else if (!seen.isGone) others.push(instance);',
    breaks: 'Nobody works on groups when the process that did hangs.',
    suites: PARTS,
  },
  {
    name: 'pair linked for shorter',
    file: 'packages/node/src/shares/pair-rows.ts',
    find: 'if (shortest >= untilMs) {',
    replace: 'if (false) {',
    breaks: 'CTL-4: the peer of a revoked device is never told, and goes on with a key of thirty days.',
    suites: PARTS,
  },
  {
    name: 'session without its process',
    file: 'packages/node/src/presence/session-table.ts',
    find: 'return concat(process, random(SESSION_ID_BYTES - process.length));',
    replace: 'return random(SESSION_ID_BYTES);',
    breaks: 'SES-3: calls do not find the process that has the session.',
    suites: PARTS,
  },
  {
    name: 'stage of a sibling not seen',
    file: 'packages/node/src/devices/device-registry.ts',
    find: 'new StandingCache(isShared ? 0 : MAX_CACHED)',
    replace: 'new StandingCache(MAX_CACHED)',
    breaks: 'PAIR-3: a device gets keys by a stage that it has left.',
    suites: PARTS,
  },
  {
    name: 'acknowledged share of a sibling kept',
    file: 'packages/node/src/shares/pending-shares.ts',
    find: 'if (this.#isShared) return this.drop(responderHex, keys);',
    replace: '',
    breaks: 'PAIR-6: shares that another process stored rest until they expire.',
    suites: PARTS,
  },
  {
    name: 'broadcast kept from siblings',
    file: 'packages/node/src/group/group-pass.ts',
    find: 'if (!isOwn) void this.#toSiblings(payload);',
    replace: '',
    breaks: 'GRP-7: members whose link another process of their home has hear nothing of other nodes.',
    suites: NODES,
  },
];
