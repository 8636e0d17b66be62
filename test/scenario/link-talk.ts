import type { Bus } from '@symmetra/bus';
import { SymmetraError, utf8 } from '@symmetra/crypto';
import type { LinkWorld } from '@symmetra/testing';

export const SECOND = 1000;
export const TIMEOUT = { timeoutMs: 5 * SECOND };
export const NOTHING = new Uint8Array(0);

/** The code that something fails with; undefined when it does not. */
export async function codeOf(request: Promise<unknown>): Promise<string | undefined> {
  try {
    await request;
    return undefined;
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
}

/** What a request comes to while time passes. */
export async function after(
  world: LinkWorld,
  ms: number,
  request: Promise<unknown>,
): Promise<string | undefined> {
  const outcome = codeOf(request);
  for (let passed = 0; passed < ms; passed += 250) await world.pass(250);
  return outcome;
}

/** Answers who asked, and what. */
export function serveEcho(bus: Bus): void {
  bus.serve('echo', async (from, payload) => utf8(`${from}: ${Buffer.from(payload).toString()}`));
}

export const echo = async (bus: Bus, to: string, instance?: string): Promise<string> =>
  Buffer.from(
    await bus.request(to, 'echo', utf8('hello'), instance === undefined ? TIMEOUT : { ...TIMEOUT, instance }),
  ).toString();
