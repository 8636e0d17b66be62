/** Bytes in a row that are taken for text. Uniform bytes do that with a probability of 2^-88. */
const RUN_BYTES = 64;

/** Whether 64 bytes in a row are printable ASCII, tabs or line ends. */
export function hasText(bytes: Uint8Array): boolean {
  let run = 0;
  for (const byte of bytes) {
    run = isText(byte) ? run + 1 : 0;
    if (run === RUN_BYTES) return true;
  }
  return false;
}

function isText(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
