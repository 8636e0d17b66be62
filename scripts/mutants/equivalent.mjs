// Mutations of the sweep that change nothing which a test could see, each with the reason.

const WINDOW = 'packages/protocol/src/session/window.ts';

/** @type {readonly (Omit<import('./operators.mjs').Mutation, 'at'> & { reason: string })[]} */
export const EQUIVALENT = [
  {
    file: WINDOW,
    line: '#newest = -1;',
    nth: 1,
    from: '1',
    to: '(1 + 1)',
    reason: 'Sequence numbers begin at 0: any number below stands for "none yet".',
  },
  {
    file: WINDOW,
    line: 'for (let i = 1; i <= clear; i++) this.#set(seq - clear + i, false);',
    nth: 1,
    from: '<=',
    to: '<',
    reason: 'What is not cleared is the bit of `seq` itself, which is set two lines below.',
  },
  {
    file: WINDOW,
    line: 'if (seq <= this.#newest - REPLAY_WINDOW) return false;',
    nth: 1,
    from: '<=',
    to: '<',
    reason:
      'The number at the edge has the bit of the newest one, which is always set: it is refused all the same.',
  },
  {
    file: 'packages/protocol/src/pairwise/messages.ts',
    line: "return { kind: 'response', keyId, ...fields, ...(continuityId.length > 0 && { continuityId }), tag };",
    nth: 1,
    from: '0',
    to: '(0 + 1)',
    reason: 'A continuity id of another length than 0 or 16 was refused above.',
  },
];
