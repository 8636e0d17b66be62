import { TOEPLITZ_WASM } from '../generated/toeplitz-wasm.js';

// The compiler knows WebAssembly only as a part of browsers.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** What packages/entropy/wasm/toeplitz.wat exports; all parameters are addresses or numbers of bytes. */
export interface ToeplitzKernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  expand(rows: number, stride: number, first: number, last: number): void;
  accumulate(list: number, end: number, output: number, strips: number): void;
}

const PAGE_BYTES = 65_536;

let compiled: object | undefined;

/** An instance of its own with `bytes` of memory, all zero. */
export function toeplitzKernel(bytes: number): ToeplitzKernel {
  compiled ??= new WebAssembly.Module(Buffer.from(TOEPLITZ_WASM, 'base64'));
  const kernel = new WebAssembly.Instance(compiled).exports as ToeplitzKernel;
  kernel.memory.grow(Math.ceil(bytes / PAGE_BYTES) - kernel.memory.buffer.byteLength / PAGE_BYTES);
  return kernel;
}
