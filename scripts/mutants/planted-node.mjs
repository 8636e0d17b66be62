// Bugs in what surrounds the protocol: packages/node and packages/sdk.

const CHAIN = ['test/integration/node-chain.test.ts'];
const CONTROL = ['test/integration/node-control.test.ts'];
const PAIRWISE = ['test/integration/node-pairwise.test.ts'];
const REVOCATION = ['test/integration/node-revocation.test.ts'];

/** @type {readonly import('./planted.mjs').Mutant[]} */
export const NODE_MUTANTS = [
  {
    name: 'responder replies before storing',
    file: 'packages/node/src/devices/device-registry.ts',
    find: 'if (await this.#replace(deviceHex, next.row, stored.version)) return next.output;',
    replace:
      'void this.#replace(deviceHex, next.row, stored.version).catch(() => false);\n        return next.output;',
    breaks: 'ATK-4: after a crash, or a lost race, the device holds an epoch that the node does not have.',
    suites: CHAIN,
  },
  {
    name: 'unsigned administrative read',
    file: 'packages/node/src/admin/signed-calls.ts',
    find: 'verifyRequest(state.descriptor, state.identity.id, method, request, clock.now());',
    replace: '',
    breaks: 'CTL-6: strangers list the devices, their names and accounts.',
    suites: CONTROL,
  },
  {
    name: 'administrative request replayed',
    file: 'packages/node/src/admin/signed-calls.ts',
    find: 'await this.#takeNonce(request.nonce);',
    replace: '',
    breaks: 'CTL-6: a recorded request is made again.',
    suites: CONTROL,
  },
  {
    name: 'revoked device opens sessions',
    file: 'packages/node/src/session/session-service.ts',
    find: 'if (this.#parts.state.isDeviceRevoked(deviceHex)) {',
    replace: 'if (false) {',
    breaks: 'SES-2: revocation ends the sessions there are, and no others.',
    suites: REVOCATION,
  },
  {
    name: 'share delivered without another look',
    file: 'packages/node/src/pairwise/deliveries.ts',
    find: 'checkPolicy(state.brokerRules, header);',
    replace: '',
    breaks: 'PAIR-4: a share that waited is delivered under a policy that forbids it by now.',
    suites: REVOCATION,
  },
  {
    name: 'key id used for two headers',
    file: 'packages/node/src/pairwise/negotiate.ts',
    find: 'if (known === undefined || !equalConstantTime(known.headerHash, approved.approval.headerHash)) {',
    replace: 'if (known === undefined) {',
    breaks: 'PAIR-3: an equivocating initiator gets a receipt for a header that was never delivered.',
    suites: PAIRWISE,
  },
  {
    name: 'link carries foreign sessions',
    file: 'packages/node/src/session/sealed-calls.ts',
    find: 'if (path !== undefined && !path.accepts(session.deviceHex)) throw linkNotBound();',
    replace: '',
    breaks: "SES-7: one device's stream speaks for another device.",
    suites: PAIRWISE,
  },
  {
    name: 'PSK counter given out twice',
    file: 'packages/sdk/src/channel/psk-counters.ts',
    find: '{ clientNext: clientNext + 1 }',
    replace: '{ clientNext }',
    breaks: 'CHN-1: two connections share one PSK.',
    suites: ['test/scenario/protocol-services.test.ts'],
  },
  {
    name: 'spent PSK accepted',
    file: 'packages/sdk/src/channel/psk-counters.ts',
    find: 'return counter >= from && counter < to && !tls.serverUsed.includes(counter);',
    replace: 'return counter >= from && counter < to;',
    breaks: 'CHN-2: a recorded connection is opened again.',
    suites: ['test/integration/sdk-channel.test.ts'],
  },
  {
    name: 'differing header not reported',
    file: 'packages/sdk/src/pairwise/delivery-judge.ts',
    find: 'if (!equalConstantTime(delivery.headerHash, headerHash)) {',
    replace: 'if (false) {',
    breaks: 'PAIR-11: a node that changes headers is never named.',
    suites: ['test/scenario/sdk-reports.test.ts'],
  },
  {
    name: 'send before persist',
    file: 'packages/sdk/src/session/sessions.ts',
    find: 'await chains.save(nodeId, step);',
    replace: 'void chains.save(nodeId, step).catch(() => undefined);',
    breaks:
      'SES-1: after a crash the device opens the same place of its chain again, and looks like its own clone.',
    suites: ['test/scenario/protocol-order.test.ts'],
  },
];
