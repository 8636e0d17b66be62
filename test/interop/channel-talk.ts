/** Frames of CHN-5 as a stranger writes them who has only the document. */
function frame(type: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(type);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

export const open = (channelId: Uint8Array): Buffer => frame(1, channelId);
export const READY = frame(3, Buffer.alloc(0));
export const data = (text: string): Buffer => frame(4, Buffer.from(text));
export const END = frame(5, Buffer.alloc(0));
/** The head of the frame that opens a channel. */
export const OPEN_HEAD = open(Buffer.alloc(16)).subarray(0, 5);
