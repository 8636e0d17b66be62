// Bugs in the links between nodes, of packages/protocol and of the bus.

const HANDSHAKE = ['test/scenario/link-handshake.test.ts'];
const WIPING = ['test/scenario/link-wiping.test.ts'];
const BUS = ['test/scenario/link-bus.test.ts'];
const PARALLEL = ['test/scenario/link-parallel.test.ts'];
const CONFIGURED = ['test/scenario/link-configured.test.ts'];
const MALLORY = ['test/scenario/link-mallory.test.ts'];
const BOUNDS = ['test/scenario/link-bounds.test.ts'];
const PROCESS = ['test/integration/node-bus.test.ts'];

/** @type {readonly import('./planted.mjs').Mutant[]} */
export const LINK_MUTANTS = [
  {
    name: 'link answer unverified',
    file: 'packages/protocol/src/link/initiator.ts',
    find: 'if (!equalConstantTime(answerTag(context, place, first), message.tag)) {',
    replace: 'if (false) {',
    breaks: 'LINK-3: whoever carries the datagrams answers in the name of any node.',
    suites: HANDSHAKE,
  },
  {
    name: 'link confirmation unverified',
    file: 'packages/protocol/src/link/responder.ts',
    find: 'if (!equalConstantTime(expected, message.gate)) {',
    replace: 'if (false) {',
    breaks: 'LINK-4: whoever names a node is taken for it, and costs KEM operations and QKD keys.',
    suites: HANDSHAKE,
  },
  {
    name: 'link filter unverified',
    file: 'packages/protocol/src/link/responder.ts',
    find: 'if (!equalConstantTime(expected, request.filter)) {',
    replace: 'if (false) {',
    breaks: 'LINK-2: a flood that names a former link is answered as its renewal.',
    suites: HANDSHAKE,
  },
  {
    name: 'link without the PSK',
    file: 'packages/protocol/src/link/transcript.ts',
    find: 'added.psk?.bytes ?? EMPTY,',
    replace: 'EMPTY,',
    breaks: 'LINK-7: a PSK that was configured protects nothing.',
    suites: HANDSHAKE,
  },
  {
    name: 'link without the QKD key',
    file: 'packages/protocol/src/link/transcript.ts',
    find: '[first.key.bytes, secret, qkd ?? EMPTY]',
    replace: '[first.key.bytes, secret, EMPTY]',
    breaks: 'LINK-3: a QKD key that is fetched protects nothing.',
    suites: HANDSHAKE,
  },
  {
    name: 'former key lent to the opening',
    file: 'packages/protocol/src/link/initiator.ts',
    find: 'former: former && { linkId: former.linkId, key: former.key.clone() },',
    replace: 'former,',
    breaks: 'LINK-7: a link that ends while it is renewed takes its renewal with it.',
    suites: WIPING,
  },
  {
    name: 'QKD key left where the confirmation fails',
    file: 'packages/protocol/src/link/responder.ts',
    find: 'const secret = wipingOnFailure(qkd, () =>',
    replace: 'const secret = wipingOnFailure(undefined, () =>',
    breaks: 'LINK-4: a QKD key stays in memory.',
    suites: WIPING,
  },
  {
    name: 'datagrams of a link taken twice',
    file: 'packages/protocol/src/link/cipher.ts',
    find: 'this.#window.mark(seq);',
    replace: '',
    breaks: 'LINK-5: what is repeated on the way is opened again.',
    suites: MALLORY,
  },
  {
    name: 'QKD key not required',
    file: 'packages/bus/src/linked/incoming.ts',
    find: 'if (source?.required === true) {',
    replace: 'if (false) {',
    breaks: 'LINK-4: an initiator that names no QKD key has a link where one is required.',
    suites: CONFIGURED,
  },
  {
    name: 'silent QKD source passed over',
    file: 'packages/bus/src/linked/outgoing.ts',
    find: 'if (source.required) {',
    replace: 'if (false) {',
    breaks: 'LINK-3: without a QKD key that is required a link is confirmed all the same.',
    suites: [...CONFIGURED, ...PROCESS],
  },
  {
    name: 'handshakes outlive the keys',
    file: 'packages/bus/src/linked/links.ts',
    find: 'this.#incoming.abandon(changed);',
    replace: '',
    breaks: 'LINK-7: a node whose keys were replaced completes a link with the old ones.',
    suites: CONFIGURED,
  },
  {
    name: 'request ids that were overtaken',
    file: 'packages/bus/src/linked/linked-bus.ts',
    find: 'process.batch.takeOver(waiting, (id) => this.#renumber(id));',
    replace: 'process.batch.takeOver(waiting, (id) => id);',
    breaks: 'LINK-6: a request that waited for a link is dropped as an old one.',
    suites: BUS,
  },
  {
    name: 'replies from any process',
    file: 'packages/bus/src/linked/pending-requests.ts',
    find: 'if (request === undefined || request.process !== process) return;',
    replace: 'if (request === undefined) return;',
    breaks: 'LINK-6: one node answers what another one was asked.',
    suites: MALLORY,
  },
  {
    name: 'links beside it aged out',
    file: 'packages/bus/src/linked/held-link.ts',
    find: `    const former = this.#formerOf(link);
    if (former !== undefined) former.eraseAt`,
    replace: `    const former = this.links.find((other) => other !== link);
    if (former !== undefined) former.eraseAt`,
    breaks: 'LINK-7: after both ends opened at once, each erases the link that the other one sends on.',
    suites: PARALLEL,
  },
  {
    name: 'back to a link that was renewed',
    file: 'packages/bus/src/linked/held-link.ts',
    find: 'this.#current = this.links.findLast(({ open, renewed }) => open && !renewed);',
    replace: 'this.#current = this.links.find(({ open }) => open);',
    breaks: 'LINK-7: an end goes on sending on a link that the other one erases.',
    suites: PARALLEL,
  },
  {
    name: 'handshakes with invented processes',
    file: 'packages/bus/src/linked/outgoing.ts',
    find: 'const strange = instance !== undefined &&',
    replace: 'const strange = false && instance !== undefined &&',
    breaks: 'LINK-8: each session id that a device makes up costs the node KEM operations.',
    suites: BOUNDS,
  },
  {
    name: 'waiting for invented processes',
    file: 'packages/bus/src/linked/linked-bus.ts',
    find: 'if (frames >= MAX_STRANGE_REQUESTS || bytes',
    replace: 'if (bytes',
    breaks: 'LINK-8: sessions that were made up fill the room for requests to a node.',
    suites: BOUNDS,
  },
  {
    name: 'linked process driven out',
    file: 'packages/bus/src/linked/held-link.ts',
    find: `    this.links.push(link);
    this.heardAt = now;`,
    replace: '    this.links.push(link);',
    breaks: 'LINK-8: processes that were made up end the links of true ones.',
    suites: BOUNDS,
  },
  {
    name: 'memory of one node unbounded',
    file: 'packages/bus/src/linked/handling.ts',
    find: ' || load.bytes + bytes > MAX_BYTES',
    replace: '',
    breaks: 'LINK-8: a malicious node binds gigabytes of memory.',
    suites: BOUNDS,
  },
  {
    name: 'flood of opening messages',
    file: 'packages/bus/src/linked/incoming.ts',
    find: 'if (unproved.length >= MAX_HANDSHAKES || ofNode.length >= MAX_OF_NODE) return false;',
    replace: 'if (ofNode.length < 0) return false;',
    breaks: 'LINK-8: opening messages cost the node KEM operations and memory beyond its bounds.',
    suites: MALLORY,
  },
];
