import { decodeState, encodeState } from '@symmetra/protocol';
import type { Store } from '@symmetra/storage';
import { LOG_PLACE_ROW } from '../rows/row-keys.js';

/** How far a node has read the ordered log (CTL-8). */
export interface StreamPlace {
  readonly incarnation: string;
  /** Of the newest entry that was read. */
  readonly sequence: number;
  /** Number of the newest event among the entries. */
  readonly number: number;
}

/** @throws what the store throws */
export async function loadPlace(store: Store): Promise<StreamPlace | undefined> {
  const row = await store.get(LOG_PLACE_ROW);
  return row && decodeState<StreamPlace>(row.value);
}

/** @throws what the store throws */
export async function savePlace(store: Store, place: StreamPlace): Promise<void> {
  await store.commit([{ key: LOG_PLACE_ROW, value: encodeState(place) }]);
}
