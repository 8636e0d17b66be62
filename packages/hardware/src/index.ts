export { makeFifo } from './kernel/fifo.js';
export { KERNEL_MAX_BYTES, KernelPool } from './kernel/kernel-pool.js';
export { TOKEN_MAX_BYTES, Token } from './pkcs11/token.js';
export type { TokenInfo } from './pkcs11/token-info.js';
export type { TokenOptions } from './pkcs11/token.js';
export { SerialLine } from './serial/serial-line.js';
export type { SerialOptions } from './serial/serial-line.js';
export { Tpm } from './tpm/tpm.js';
export type { TpmAddress } from './tpm/transport.js';
