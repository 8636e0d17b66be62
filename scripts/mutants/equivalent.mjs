// Mutations of the sweep that change nothing which a test could see, each with the reason.

/** @type {readonly (Omit<import('./operators.mjs').Mutation, 'at'> & { reason: string })[]} */
export const EQUIVALENT = [];
