import type { Bus } from '@symmetra/bus';
import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import type { RandomBytes } from '@symmetra/entropy';
import type { Store } from '@symmetra/storage';
import { arrivalRow } from '../rows/row-keys.js';

const SUBJECT = 'arrival';
const ASK_MS = 3000;
const PROOF_BYTES = 16;
const SILENCE = new Set(['NODE_UNREACHABLE', 'BUS_TIMEOUT']);

/** What tells whether other processes run as this node. */
export interface AloneParts {
  /** That of a guest: what it asks of its own node, another process of it answers. It is closed here. */
  readonly bus: Bus;
  readonly store: Store;
  /** Whether other processes of this node may use the store. */
  readonly isShared: boolean;
  readonly random: RandomBytes;
}

/**
 * Makes sure that no other process runs as this node, but replicas that use the same store: one that answers has to say
 * what this one has just written into it. Two nodes with one identity would each go on with the same chains.
 * @throws NODE_RUNNING, and what the store throws
 */
export async function checkAlone({ bus, store, isShared, random }: AloneParts): Promise<void> {
  const row = arrivalRow(bus.instance);
  const proof = random(PROOF_BYTES);
  if (isShared) await store.commit([{ key: row, value: proof }]);
  try {
    const said = await askOther(bus);
    if (said === undefined || (isShared && equalConstantTime(said, proof))) return;
    throw new SymmetraError(
      'NODE_RUNNING',
      'another process runs as this node, and not with this store; no two may share an identity',
      { node: bus.self },
    );
  } finally {
    await bus.close();
    if (isShared) await store.commit([{ key: row, value: null }]);
  }
}

/** Answers processes that arrive. */
export function answerArrivals(bus: Bus, store: Store): void {
  bus.serve(SUBJECT, async (from, instance) => {
    const row =
      from === bus.self ? await store.get(arrivalRow(Buffer.from(instance).toString('latin1'))) : undefined;
    return row?.value ?? new Uint8Array(0);
  });
}

/** What another process of this node says is in the store; undefined when none answers. */
async function askOther(bus: Bus): Promise<Uint8Array | undefined> {
  const instance = Buffer.from(bus.instance, 'latin1');
  try {
    return await bus.request(bus.self, SUBJECT, instance, { timeoutMs: ASK_MS });
  } catch (error) {
    if (error instanceof SymmetraError && SILENCE.has(error.code)) return undefined;
    throw error;
  }
}
