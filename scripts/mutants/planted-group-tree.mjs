// Bugs in the key tree, the header and the deal of a group, packages/protocol/src/tree and group.

const TREE = ['test/scenario/group-tree.test.ts'];
const MEMBER = ['test/scenario/group-member.test.ts'];
const GAPS = ['test/scenario/group-gaps.test.ts'];
const ROSTER = ['test/scenario/group-tree-roster.test.ts'];
const HEADER = ['test/scenario/group-header.test.ts'];
const DEALING = ['test/scenario/group-dealing.test.ts'];

/** @type {readonly import('./planted.mjs').Mutant[]} */
export const GROUP_TREE_MUTANTS = [
  {
    name: 'removed member keeps the keys of its path',
    file: 'packages/protocol/src/tree/replacement.ts',
    find: 'if (!keeps || (had && !part.vacated)) continue;',
    replace: 'if (!keeps || had) continue;',
    breaks: 'GRP-6: who was removed opens the next epoch with the keys that it had.',
    suites: TREE,
  },
  {
    name: 'place handed over with its key',
    file: 'packages/protocol/src/tree/replacement.ts',
    find: 'return { vacated: left.has(place), stays, occupied: stays || arrived.has(place) };',
    replace:
      'return { vacated: left.has(place) && !arrived.has(place), stays, occupied: stays || arrived.has(place) };',
    breaks: 'GRP-6: who comes to a place gets the key of who left it, and he those of the path.',
    suites: TREE,
  },
  {
    name: 'no seal for a subtree that stays',
    file: 'packages/protocol/src/tree/replacement.ts',
    find: 'replacement.sealing.push(...children.filter((child) => partAt(child).stays));',
    replace:
      'replacement.sealing.push(...children.filter((child) => partAt(child).stays && partAt(child).vacated));',
    breaks: 'GRP-7: whoever stays beside the path of a removed member is cut off with it.',
    suites: MEMBER,
  },
  {
    name: 'tree does not grow',
    file: 'packages/protocol/src/tree/replacement.ts',
    find: 'if (level > Math.min(heightBefore, height) && indices[0] !== 0) indices.unshift(0);',
    replace: 'if (level > height && indices[0] !== 0) indices.unshift(0);',
    breaks: 'GRP-6: a tree that wins a level has no key at its top when only high places are taken.',
    suites: GAPS,
  },
  {
    name: 'tree does not shrink',
    file: 'packages/protocol/src/tree/replacement.ts',
    find: 'const keeps = part.occupied && level <= change.height;',
    replace: 'const keeps = part.occupied;',
    breaks: 'GRP-6: keys above the root stay, and get fresh ones that nobody needs.',
    suites: TREE,
  },
  {
    name: 'old tree key kept',
    file: 'packages/protocol/src/tree/key.ts',
    find: 'for (let step = from.step + 1; step <= to; step++) {',
    replace: 'for (let step = from.step + 1; step < to; step++) {',
    breaks:
      'GRP-6: the keys of an epoch are those of the epoch before: who comes reads what was broadcast before.',
    suites: TREE,
  },
  {
    name: 'tree key the same at all positions',
    file: 'packages/protocol/src/tree/key.ts',
    find: 'return Uint8Array.of(level, index >>> 24, index >>> 16, index >>> 8, index);',
    replace: 'return Uint8Array.of(level, 0, 0, 0, 0);',
    breaks: 'GRP-6: a seal is good for any position of its level.',
    suites: TREE,
  },
  {
    name: 'seal not bound to its place in the tree',
    file: 'packages/protocol/src/tree/key.ts',
    find: 'concat(positionBytes(position), seal.epochId);',
    replace: 'seal.epochId;',
    breaks: 'GRP-7: the transcript of a seal does not say under which key it is.',
    suites: TREE,
  },
  {
    name: 'node not in the keys of its tree',
    file: 'packages/protocol/src/tree/key.ts',
    find: 'responder: utf8(scope.nodeId),',
    replace: "responder: utf8(''),",
    breaks: 'GRP-6: what one node sealed is good for another one too.',
    suites: TREE,
  },
  {
    name: 'seal under the wrong child',
    file: 'packages/protocol/src/tree/rekey.ts',
    find: "sealUnder(scope, rekeying, 'groupTreeSeal', child, tree.key(child), tree.key(parentOf(child))),",
    replace:
      "sealUnder(scope, rekeying, 'groupTreeSeal', child, tree.key({ ...child, index: child.index & ~1 }), tree.key(parentOf(child))),",
    breaks: 'GRP-7: members below a right child open nothing.',
    suites: MEMBER,
  },
  {
    name: 'broadcast of any length',
    file: 'packages/protocol/src/tree/rekey.ts',
    find: 'sealing.length > MAX_SEALS ? undefined :',
    replace: 'false ? undefined :',
    breaks: 'GRP-7: a node seals what no broadcast holds, and welcomes nobody.',
    suites: TREE,
  },
  {
    name: 'step of a broadcast not checked',
    file: 'packages/protocol/src/tree/path.ts',
    find: 'if (update.step !== path.step + 1) {',
    replace: 'if (update.step <= path.step) {',
    breaks: 'GRP-9: a lying node has a member take as many steps as it likes.',
    suites: TREE,
  },
  {
    name: 'seal of another subtree taken',
    file: 'packages/protocol/src/tree/path.ts',
    find: 'level === child.level && index === child.index',
    replace: 'level === child.level',
    breaks: 'GRP-9: a member opens the seal that is meant for others, and fails.',
    suites: MEMBER,
  },
  {
    name: 'background keeps former keys',
    file: 'packages/protocol/src/tree/stored-tree.ts',
    find: '(page.get(position)?.step ?? step) < step);',
    replace: '(page.get(position)?.step ?? step) < step - 1);',
    breaks:
      'GRP-6: keys that an epoch did not need stay as they were: k seized nodes open what was broadcast since.',
    suites: TREE,
  },
  {
    name: 'tree key of a later step taken',
    file: 'packages/protocol/src/tree/stored-tree.ts',
    find: 'if (stored !== undefined && stored.step <= step) return stored;',
    replace: 'if (stored !== undefined) return stored;',
    breaks: 'GRP-6: a store that was put back is used with keys of two times.',
    suites: TREE,
  },
  {
    name: 'freed place not taken in the same epoch',
    file: 'packages/protocol/src/tree/roster.ts',
    find: 'while (this.#devices[place] !== undefined && !left.has(place)) place++;',
    replace: 'while (this.#devices[place] !== undefined) place++;',
    breaks: 'GRP-2: dealers and nodes come to different rosters, and agree on no epoch.',
    suites: ROSTER,
  },
  {
    name: 'device at two places',
    file: 'packages/protocol/src/tree/roster.ts',
    find: '        !seen.has(device);',
    replace: '        true;',
    breaks: 'GRP-2: a device is removed from one place and stays at the other.',
    suites: ROSTER,
  },
  {
    name: 'roster leaf hashed like a node',
    file: 'packages/protocol/src/tree/roster-hashes.ts',
    find: 'readonly #leaf = hashInput(0,',
    replace: 'readonly #leaf = hashInput(1,',
    breaks: 'GRP-2: leaves and nodes of the roster tree are not told apart.',
    suites: ROSTER,
  },
  {
    name: 'threshold of one in a header',
    file: 'packages/protocol/src/pairwise/header.ts',
    find: 'if (threshold < 2 || threshold > nodes.length)',
    replace: 'if (threshold < 1 || threshold > nodes.length)',
    breaks: 'GRP-1: each node has the key.',
    suites: HEADER,
  },
  {
    name: 'manager named twice',
    file: 'packages/protocol/src/group/header.ts',
    find: 'if (new Set(managers.map(toHex)).size !== managers.length)',
    replace: 'if (managers.length > MAX_MANAGERS)',
    breaks: 'GRP-1: one manager has several turns to deal.',
    suites: HEADER,
  },
  {
    name: 'commitment without its place',
    file: 'packages/protocol/src/group/header.ts',
    find: 'writer.u8(place).raw(share)',
    replace: 'writer.u8(0).raw(share)',
    breaks: 'GRP-1: a share is good for another node, and for the secret itself.',
    suites: HEADER,
  },
  {
    name: 'tag not in what nodes echo',
    file: 'packages/protocol/src/group/header.ts',
    find: '.bytes(header).bytes(tag)',
    replace: '.bytes(header)',
    breaks: 'GRP-5: a dealer gives nodes different tags, and they agree all the same.',
    suites: HEADER,
  },
  {
    name: 'number of one node believed',
    file: 'packages/protocol/src/group/dealer.ts',
    find: 'named.filter((epoch) => epoch <= own + MAX_EPOCH_SKIP)',
    replace: 'named',
    breaks: 'GRP-3: one lying node uses the numbers of a group up: nobody can be removed any more.',
    suites: DEALING,
  },
  {
    name: 'dealt secret not erased',
    file: 'packages/protocol/src/group/dealer.ts',
    find: '    random.secret.fill(0);\n',
    replace: '',
    breaks: 'GRP-3: whoever seizes the dealer has the secret of the epoch.',
    suites: DEALING,
  },
];
