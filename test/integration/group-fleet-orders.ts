import { SymmetraError } from '@symmetra/crypto';

/** What a process of members is asked to do; `name` is the member that does it. */
export type Order =
  | { readonly task: 'enrol'; readonly name: string; readonly token: string }
  | { readonly task: 'open'; readonly names: readonly string[] }
  | {
      readonly task: 'create';
      readonly name: string;
      readonly members: readonly string[];
      readonly managers: readonly string[];
    }
  | {
      readonly task: 'add' | 'remove';
      readonly name: string;
      readonly groupId: string;
      readonly members: readonly string[];
    }
  | { readonly task: 'rotate' | 'leave' | 'seal' | 'finish'; readonly name: string; readonly groupId: string }
  /** Every member of the process opens it. */
  | { readonly task: 'open-message'; readonly message: string }
  /** From now on a random member sends a message, every so often. */
  | { readonly task: 'talk'; readonly groupId: string; readonly everyMs: number }
  | { readonly task: 'hush' }
  | { readonly task: 'standings' };

/** An order on its way to a process. */
export interface SentOrder {
  readonly id: number;
  readonly order: Order;
}

/** What came of it. */
export type OrderAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: string; readonly text: string };

/** A stable code; INTERNAL for an error that is not the program's own. */
export function codeOf(error: unknown): string {
  return error instanceof SymmetraError ? error.code : 'INTERNAL';
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
