import { Reader, Writer } from '@symmetra/crypto';
import { DEVICE_ID_LENGTH, Roster } from '@symmetra/protocol';
import type { Placed, RosterChanges } from '@symmetra/protocol';
import type { Change, ScannedRow, Store } from '@symmetra/storage';
import { lastPart, rosterPageRow, rosterPagesOf } from '../rows/row-keys.js';

/** Places of one page: a removal writes one page of 2 kB. */
const PLACES = 64;
const PAGE_BYTES = PLACES * DEVICE_ID_LENGTH;
const PAGES_PER_SCAN = 64;
const MAX_CHANGES = 0xffff;
/** Stands at a place where no device stands. */
const NOBODY = new Uint8Array(DEVICE_ID_LENGTH);

/** Reads who stands where in a group, as it was when its epoch came into force. @throws BAD_ENCODING, BAD_ROSTER */
export async function readRoster(store: Store, groupHex: string): Promise<Roster> {
  const members: Placed[] = [];
  const prefix = rosterPagesOf(groupHex);
  let after: string | undefined;
  for (;;) {
    const scan = { limit: PAGES_PER_SCAN, ...(after !== undefined && { after }) };
    const pages = await store.scan(prefix, scan);
    for (const page of pages) members.push(...membersOf(page));
    after = pages.at(-1)?.key;
    if (pages.length < PAGES_PER_SCAN) return Roster.of(members);
  }
}

/** The pages that changes of a roster touch, as they are afterwards. `roster` is the one before. */
export function rosterPageChanges(groupHex: string, roster: Roster, changes: RosterChanges): Change[] {
  const pages = new Map<number, Uint8Array>();
  const put = (place: number, deviceId: Uint8Array): void => {
    const number = Math.floor(place / PLACES);
    const page = pages.get(number) ?? pageOf(roster, number);
    pages.set(number, page);
    page.set(deviceId, (place % PLACES) * DEVICE_ID_LENGTH);
  };
  for (const place of changes.vacated) put(place, NOBODY);
  for (const { place, deviceId } of changes.taken) put(place, deviceId);
  return Array.from(pages, ([number, page]) => ({
    key: rosterPageRow(groupHex, number),
    value: page.some((byte) => byte !== 0) ? page : null,
  }));
}

/** Who leaves and takes places, as a row. */
export function encodeRosterChanges({ vacated, taken }: RosterChanges): Uint8Array {
  return new Writer(4 + 4 * vacated.length + (4 + DEVICE_ID_LENGTH) * taken.length)
    .list(vacated, (writer, place) => void writer.u32(place))
    .list(taken, (writer, { place, deviceId }) => void writer.u32(place).raw(deviceId))
    .finish();
}

/** @throws BAD_ENCODING */
export function decodeRosterChanges(value: Uint8Array): RosterChanges {
  const reader = new Reader(value, 'changes of a roster');
  const vacated = reader.list(MAX_CHANGES, (r) => r.u32());
  const taken = reader.list(MAX_CHANGES, (r) => ({ place: r.u32(), deviceId: r.raw(DEVICE_ID_LENGTH) }));
  reader.end();
  return { vacated, taken };
}

function pageOf(roster: Roster, number: number): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  for (let i = 0; i < PLACES; i++) page.set(roster.at(number * PLACES + i) ?? NOBODY, i * DEVICE_ID_LENGTH);
  return page;
}

function* membersOf({ key, row: { value } }: ScannedRow): Iterable<Placed> {
  const first = Number(lastPart(key)) * PLACES;
  for (let i = 0; i < PLACES; i++) {
    const deviceId = value.slice(i * DEVICE_ID_LENGTH, (i + 1) * DEVICE_ID_LENGTH);
    if (deviceId.some((byte) => byte !== 0)) yield { place: first + i, deviceId };
  }
}
