import { join, relative } from 'node:path';

const SOCKET_FILE = 'control.sock';
/** sockaddr_un holds 108 bytes on Linux, 104 elsewhere, with the final zero. */
const MAX_PATH_BYTES = 103;

/** Longest line in either direction, bytes: the ids of the largest group, and room to spare. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** A command for the owner of a state directory. */
export interface OwnerRequest {
  readonly id: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Its outcome. */
export type OwnerReply =
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly error: {
        readonly code: string;
        readonly message: string;
        readonly details?: Readonly<Record<string, string | number>>;
      };
    };

/** The path of the control socket, in the form that fits a socket address; undefined when none does. */
export function controlSocketPath(state: string): string | undefined {
  const path = join(state, SOCKET_FILE);
  return [path, relative(process.cwd(), path)].find((one) => Buffer.byteLength(one) <= MAX_PATH_BYTES);
}
