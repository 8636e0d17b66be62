import type { Backend } from './backend.js';
import { nobleBackend } from './backend-noble.js';
import { nodeBackend } from './backend-node.js';

/** node:crypto where the runtime has it, else noble. Chosen once; both pass the same vectors. */
export const defaultBackend: Backend = nodeBackend() ?? nobleBackend;
