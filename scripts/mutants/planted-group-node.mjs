// Bugs in what a node does for groups, packages/node/src/group.

const FAULTS = ['test/integration/node-group-faults.test.ts'];
const OUT = ['test/integration/node-group-out.test.ts'];
const NODEGAPS = ['test/integration/node-group-gaps.test.ts'];
const NODE = ['test/integration/node-group.test.ts'];
const TIME = ['test/integration/node-group-time.test.ts'];
const BOUNDS = ['test/integration/node-group-bounds.test.ts'];
const ROSTERS = ['test/scenario/node-group-rosters.test.ts'];
const ENTROPY = ['test/integration/node-entropy.test.ts'];

/** @type {readonly import('./planted.mjs').Mutant[]} */
export const GROUP_NODE_MUTANTS = [
  {
    name: 'deal approved before it is stored',
    file: 'packages/node/src/group/deals.ts',
    find: 'await table.commit(group,',
    replace: 'void table.commit(group,',
    breaks: 'GRP-4: a node answers and echoes, and after a crash echoes another deal of that number.',
    suites: FAULTS,
  },
  {
    name: 'revocation suspends nothing',
    file: 'packages/node/src/group/departures.ts',
    find: "this.#take(group, { deviceId, reason: 'revoked' })",
    replace: 'undefined',
    breaks: 'GRP-10: a revoked device is a member until somebody removes it by hand.',
    suites: OUT,
  },
  {
    name: 'rows of an ended group stay',
    file: 'packages/node/src/group/departures.ts',
    find: "effect === 'ended' ? await this.#allRows(group) : []",
    replace: '[]',
    breaks: 'GRP-10: tree keys of a group that ended are on the disk for ever.',
    suites: OUT,
  },
  {
    name: 'welcome to a suspended epoch',
    file: 'packages/node/src/group/welcomes.ts',
    find: ' || isSuspended(row.group, roster)) return;',
    replace: ') return;',
    breaks: 'GRP-10: a device that is out gets the key when it attaches.',
    suites: NODEGAPS,
  },
  {
    name: 'welcome to who has confirmed',
    file: 'packages/node/src/group/welcomes.ts',
    find: 'if (deviceId === undefined || confirmed.has(place)) continue;',
    replace: 'if (deviceId === undefined) continue;',
    breaks: 'GRP-8: every member is sent its keys after every epoch.',
    suites: NODE,
  },
  {
    name: 'confirmation of another epoch taken',
    file: 'packages/node/src/group/group-service.ts',
    find: 'if (isInForce(group, epochId)) group.confirmed.add(place);',
    replace: 'group.confirmed.add(place);',
    breaks: 'GRP-8: a member that confirms late is left without the epoch in force.',
    suites: NODEGAPS,
  },
  {
    name: 'confirmation not taken',
    file: 'packages/node/src/group/group-service.ts',
    find: 'if (isInForce(group, epochId)) group.confirmed.add(place);',
    replace: '',
    breaks: 'GRP-8: every member is welcomed though it holds the epoch.',
    suites: NODE,
  },
  {
    name: 'confirmations kept for the next epoch',
    file: 'packages/node/src/group/held-group.ts',
    find: '    this.confirmed = new Set();\n',
    replace: '',
    breaks: 'GRP-8: a member that missed an epoch gets no welcome.',
    suites: FAULTS,
  },
  {
    name: 'member that asks for epochs without end',
    file: 'packages/node/src/group/group-service.ts',
    find: 'if (last !== undefined && now - last < pauseMs) {',
    replace: 'if (false) {',
    breaks: 'GRP-10: one member has the group deal as often as it likes.',
    suites: OUT,
  },
  {
    name: 'message in the name of another',
    file: 'packages/node/src/group/group-service.ts',
    find: 'if (!equalConstantTime(sender, session.deviceId)) {',
    replace: 'if (false) {',
    breaks: 'GRP-12: a node passes on what a stranger made up.',
    suites: NODE,
  },
  {
    name: 'message of who is no member',
    file: 'packages/node/src/group/group-service.ts',
    find: '    await table.run(groupHex, async (group) => group.placeOf(session.deviceId));\n',
    replace: '',
    breaks: 'GRP-12: anybody reaches all members of any group.',
    suites: NODEGAPS,
  },
  {
    name: 'share kept beyond its time',
    file: 'packages/node/src/group/share-expiry.ts',
    find: 'return inForce?.share !== undefined && this.#isPast(inForce, sinceMs);',
    replace: 'return false;',
    breaks: 'GRP-8: k seized nodes have the key of an epoch that is over.',
    suites: TIME,
  },
  {
    name: 'tree left behind',
    file: 'packages/node/src/group/tree-upkeep.ts',
    find: 'if (value !== undefined) changes.push({ key, value, expect: page.version });',
    replace: '',
    breaks: 'GRP-6: k seized nodes open what was broadcast since.',
    suites: TIME,
  },
  {
    name: 'pending deal not echoed after a restart',
    file: 'packages/node/src/group/group-start.ts',
    find: '    if (group.pending !== undefined) agreement.begin(groupHex);\n',
    replace: '',
    breaks: 'GRP-11: nodes that stop at once leave a group that never goes on.',
    suites: FAULTS,
  },
  {
    name: 'revocation while the node was down',
    file: 'packages/node/src/group/group-start.ts',
    find: '    for (const deviceHex of state.deviceRevocations()) await departures.revoked(deviceHex);\n',
    replace: '',
    breaks: 'GRP-11: a node that was down gives a revoked device the epoch.',
    suites: NODEGAPS,
  },
  {
    name: 'moved member told that it is out',
    file: 'packages/node/src/group/epochs.ts',
    find: 'const isMoved = changes.vacated.length !== group.removed.length;',
    replace: 'const isMoved = false;',
    breaks: 'GRP-7: a member of a node that was behind takes its new place for a farewell.',
    suites: FAULTS,
  },
  {
    name: 'groups of one creator without number',
    file: 'packages/node/src/group/created-groups.ts',
    find: 'groups.size >= MAX_CREATED && !groups.has(groupHex)',
    replace: 'false',
    breaks: 'GRP-4: one device fills a node with groups.',
    suites: BOUNDS,
  },
  {
    name: 'share of a deal that came to nothing kept',
    file: 'packages/node/src/group/share-expiry.ts',
    find: 'return pending !== undefined && this.#isPast(pending, pendingSinceMs);',
    replace: 'return false;',
    breaks: 'GRP-4: the share of a deal that never came into force stays on the disk.',
    suites: BOUNDS,
  },
  {
    name: 'deal without entropy',
    file: 'packages/node/src/group/groups.ts',
    find: '      requireEntropy();\n      await freshness.ensure();',
    replace: '      await freshness.ensure();',
    breaks: 'GRP-4: a node without entropy makes tree keys.',
    suites: ENTROPY,
  },
  {
    name: 'tag of an epoch believed from one node',
    file: 'packages/node/src/group/rosters-of-deals.ts',
    find: 'naming < echoQuorum(nodes.length, threshold) - 1',
    replace: 'naming < 1',
    breaks: 'GRP-11: one lying node, asked first, keeps a node behind for good.',
    suites: ROSTERS,
  },
];
