// Bugs in introductions, of packages/protocol and of the nodes.

const SCENARIO = ['test/scenario/protocol-introduction.test.ts'];
const NODES = ['test/integration/node-introduction.test.ts'];
const DEVICES = ['test/integration/sdk-nodes.test.ts'];

/** @type {readonly import('./planted.mjs').Mutant[]} */
export const INTRODUCTION_MUTANTS = [
  {
    name: 'introduction of another device',
    file: 'packages/protocol/src/introduction/nodes.ts',
    find: 'if (!equalConstantTime(header.deviceId, sender)) {',
    replace: 'if (false) {',
    breaks: 'ENR-10: a device has another one introduced, and enrols in its place.',
    suites: SCENARIO,
  },
  {
    name: 'introduction to keys that nobody signed',
    file: 'packages/protocol/src/introduction/nodes.ts',
    find: 'if (named === undefined || !equalConstantTime(nodeKeyHash(named), header.nodeKeyHash)) {',
    replace: 'if (named === undefined) {',
    breaks: 'ENR-10: the node introduces devices to keys that the descriptor does not name.',
    suites: SCENARIO,
  },
  {
    name: 'introduction below the threshold',
    file: 'packages/protocol/src/introduction/header.ts',
    find: 'if (known && header.threshold >= descriptor.threshold) return;',
    replace: 'if (known) return;',
    breaks: 'ENR-11: fewer nodes than k introduce a device.',
    suites: SCENARIO,
  },
  {
    name: 'share of an introduction uncommitted',
    file: 'packages/protocol/src/introduction/header.ts',
    find: 'equalConstantTime(commitment, introductionCommitment(header, place, share));',
    replace: 'true;',
    breaks: 'ENR-11: one node that lies gives the new node a secret that the device does not have.',
    suites: SCENARIO,
  },
  {
    name: 'facts of one node believed',
    file: 'packages/protocol/src/introduction/nodes.ts',
    find: 'return sha256(concat(sha256(header), sha256(facts)));',
    replace: 'return sha256(concat(sha256(header), sha256(facts.subarray(0, 0))));',
    breaks: 'ENR-12: one node alone says to whom a device belongs.',
    suites: SCENARIO,
  },
  {
    name: 'introduced by one node less',
    file: 'packages/protocol/src/introduction/nodes.ts',
    find: 'if (same.length < header.threshold) return undefined;',
    replace: 'if (same.length < header.threshold - 1) return undefined;',
    breaks: 'ENR-12: k - 1 nodes introduce a device.',
    suites: SCENARIO,
  },
  {
    name: 'receipt of another introduction',
    file: 'packages/protocol/src/introduction/device.ts',
    find: 'if (equalConstantTime(introductionHash(header), headerHash)) return;',
    replace: 'if (headerHash.length > 0) return;',
    breaks: 'ENR-10: a node that passed nothing on counts.',
    suites: SCENARIO,
  },
  {
    name: 'device introduced twice',
    file: 'packages/node/src/enrolment/introductions.ts',
    find: 'if ((await devices.standing(deviceHex)) !== undefined) {',
    replace: 'if (false) {',
    breaks: 'ENR-11: who copied a device is introduced behind it, and the device does not notice.',
    suites: NODES,
  },
  {
    name: 'revoked device introduced',
    file: 'packages/node/src/enrolment/introductions.ts',
    find: "if (state.isDeviceRevoked(deviceHex)) throw new SymmetraError('DEVICE_REVOKED', 'the device is revoked');",
    replace: '',
    breaks: 'ENR-11: a device that was revoked is taken by a node that is new.',
    suites: NODES,
  },
  {
    name: 'introductions without a bound',
    file: 'packages/node/src/enrolment/introductions.ts',
    find: 'if (waiting.length === MAX_WAITING) {',
    replace: 'if (waiting.length > MAX_WAITING) {',
    breaks: 'ENR-11: one node fills the store of another.',
    suites: NODES,
  },
  {
    name: 'name of the device by itself',
    file: 'packages/node/src/enrolment/enrolment-service.ts',
    find: 'name: token.introduced?.name ?? enrolled.name,',
    replace: 'name: enrolled.name,',
    breaks: 'ENR-12: a device takes another name at a node that is new.',
    suites: NODES,
  },
  {
    name: 'chain with keys that are no more',
    file: 'packages/sdk/src/network/descriptors.ts',
    find: 'return same === undefined || !equalConstantTime(nodeKeyHash(same), nodeKeyHash(node));',
    replace: 'return same === undefined;',
    breaks: 'ENR-9: the device keeps its chain with a node that was replaced, and never enrols there.',
    suites: DEVICES,
  },
];
