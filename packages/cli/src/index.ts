export { EXIT } from './exit.js';
export { Invocation } from './invocation.js';
export { Output } from './output.js';
export type { TextSink } from './output.js';
export { runProgram } from './program.js';
