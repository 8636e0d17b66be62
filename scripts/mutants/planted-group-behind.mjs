// Bugs in how a node that is behind follows others (GRP-11), packages/protocol/src/group.

const ECHO = ['test/scenario/group-echo.test.ts'];
const GAPS = ['test/scenario/group-gaps.test.ts'];
const GIVEN_UP = ['test/scenario/group-given-up.test.ts'];
const LEAVES = ['test/scenario/group-given-up-leaves.test.ts'];

/** @type {readonly import('./planted.mjs').Mutant[]} */
export const GROUP_BEHIND_MUTANTS = [
  {
    name: 'one node vouches for a deal',
    file: 'packages/protocol/src/group/following.ts',
    find: 'if (dealt === undefined || standing < quorumOf(header)) return undefined;',
    replace: 'if (dealt === undefined || standing < 1) return undefined;',
    breaks: 'GRP-11: one lying node leads a node that is behind where it likes.',
    suites: ECHO,
  },
  {
    name: 'removal undone by a node that is behind',
    file: 'packages/protocol/src/group/following.ts',
    find: '&& undoesNothing(scene.roster, dealt, deal);',
    replace: ';',
    breaks: 'GRP-11: who was removed is back, though the dealer did not name it.',
    suites: ECHO,
  },
  {
    name: 'epoch given up though members may hold it',
    file: 'packages/protocol/src/group/following.ts',
    find: 'passed > header.nodes.length - quorumOf(header)',
    replace: 'passed > 0',
    breaks: 'GRP-11: a node leaves an epoch that q nodes gave to members.',
    suites: GAPS,
  },
  {
    name: 'base of a deal without its roster',
    file: 'packages/protocol/src/group/following.ts',
    find: '    equalConstantTime(inForce.rosterRoot, base.roster.root()) &&\n',
    replace: '',
    breaks: 'GRP-11: one lying node gives another roster to a node that is behind.',
    suites: GAPS,
  },
  {
    name: 'base of a deal that nobody stands by',
    file: 'packages/protocol/src/group/following.ts',
    find: 'if (!fits || backing < quorum) return undefined;',
    replace: 'if (!fits) return undefined;',
    breaks: 'GRP-11: one lying node makes the epoch that a deal follows up.',
    suites: ECHO,
  },
  {
    name: 'given up counts for everybody',
    file: 'packages/protocol/src/group/following.ts',
    find: 'const backing = isOwn ?',
    replace: 'const backing = true ?',
    breaks: 'GRP-11: a node that never echoed an epoch follows it for the sake of others that gave it up.',
    suites: GIVEN_UP,
  },
  {
    name: 'new group given up for good',
    file: 'packages/protocol/src/group/following.ts',
    find: 'const backing = isOwn ?',
    replace: 'const backing = isOwn && !isNew ?',
    breaks: 'GRP-11: two deals on the first epoch of a group stop it until the lifetime of one is over.',
    suites: GIVEN_UP,
  },
  {
    name: 'leave outweighed by who gave the epoch up for it',
    file: 'packages/protocol/src/group/following.ts',
    find: '(standing >= quorum ||',
    replace: '(backing >= quorum ||',
    breaks: 'GRP-11: a leave that all nodes heard is forgotten, and who left is in the next epoch again.',
    suites: LEAVES,
  },
  {
    name: 'leave of one who was removed counts',
    file: 'packages/protocol/src/group/following.ts',
    find: '|| base.roster.placeOf(deviceId) === undefined);',
    replace: ');',
    breaks: 'GRP-11: who left, was removed and is added again holds a node up that gave the removal up.',
    suites: LEAVES,
  },
  {
    name: 'echo forgotten with the deal',
    file: 'packages/protocol/src/group/node-group.ts',
    find: 'return { ...rest, givenUp: [echoed(pending), ...givenUp].slice(0, MAX_GIVEN_UP) };',
    replace: 'return { ...rest, givenUp };',
    breaks: 'GRP-11: two halves of the nodes never come together again.',
    suites: GIVEN_UP,
  },
  {
    name: 'revocation outweighed',
    file: 'packages/protocol/src/group/node-group.ts',
    find: "one.reason === 'revoked' || counted.has(one)",
    replace: 'counted.has(one)',
    breaks: 'GRP-11: nodes that have not heard of a revocation have another one forget it.',
    suites: GAPS,
  },
  {
    name: 'leave forgotten that counted',
    file: 'packages/protocol/src/group/node-group.ts',
    find: '|| counted.has(one) ||',
    replace: '||',
    breaks: 'GRP-11: of more members that left than one deal removes the others are members for good.',
    suites: LEAVES,
  },
];
