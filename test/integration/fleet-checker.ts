import type { Entry, Happening } from './fleet-history.js';

/** What a fleet must never show, by name. */
export type Rule =
  | 'NOTHING_SEEN'
  | 'KEY_DIFFERS'
  | 'KEY_OF_A_THIRD'
  | 'SEAL_REPEATED'
  | 'PSK_REPEATED'
  | 'EPOCH_BACK'
  | 'ERROR_UNNAMED'
  | 'HONEST_ACCUSED'
  | 'KEY_AFTER_REVOCATION'
  | 'REVOKED_NOT_REFUSED'
  | 'KEY_OF_REVOKED_KEPT'
  | 'DEVICE_LOST';

/** One rule that was broken, and the devices whose histories tell of it. */
export interface Violation {
  readonly rule: Rule;
  readonly devices: readonly string[];
  readonly text: string;
}

type Kind = Happening['kind'];
type Seen<K extends Kind> = Entry & { readonly seen: Extract<Happening, { readonly kind: K }> };

/** Codes by which a device is refused that is revoked, or whose peer is. */
const REFUSALS = new Set(['DEVICE_REVOKED', 'PEER_REVOKED']);
/** Codes that tell a device's owner nothing: of an error that is not the program's own, or of a part underneath. */
const UNNAMED = new Set(['INTERNAL', 'SECRET_WIPED', 'STORE_CLOSED']);

/**
 * Checks what a whole fleet went through: same key or none, no counter twice, nothing after a revocation, nobody lost.
 * @param repeatedSeals AEAD keys and nonces that were used again, in words
 */
export function violationsOf(
  entries: readonly Entry[],
  repeatedSeals: readonly string[],
): readonly Violation[] {
  return [
    ...somethingSeen(entries),
    ...sameKeyOrNone(entries),
    ...repeatedSeals.map((text) => ({ rule: 'SEAL_REPEATED', devices: [], text }) as const),
    ...pskOnce(entries),
    ...epochsRise(entries),
    ...errorsNamed(entries),
    ...nobodyAccused(entries),
    ...nothingAfterRevocation(entries),
    ...revokedRefused(entries),
    ...noKeyOfRevoked(entries),
    ...nobodyLost(entries),
  ];
}

/** A history without any key proves nothing. */
function somethingSeen(entries: readonly Entry[]): readonly Violation[] {
  if (of(entries, 'key').length > 0 && of(entries, 'holds').length > 0) return [];
  return [violation('NOTHING_SEEN', [], 'the history holds no key')];
}

/** Whoever holds a key of one id, at whatever time, holds the same one; and two devices do at most. */
function sameKeyOrNone(entries: readonly Entry[]): readonly Violation[] {
  const found: Violation[] = [];
  const held = [...of(entries, 'key'), ...of(entries, 'holds')];
  for (const [keyId, sightings] of grouped(held, ({ seen }) => seen.keyId)) {
    const devices = [...new Set(sightings.map(({ device }) => device))];
    const fingerprints = new Set(sightings.map(({ seen }) => seen.fingerprint));
    const digests = new Set(sightings.flatMap(({ seen }) => (seen.kind === 'holds' ? seen.digest : [])));
    if (fingerprints.size > 1 || digests.size > 1) {
      found.push(violation('KEY_DIFFERS', devices, `key ${keyId} is not the same everywhere`));
    }
    const ends = new Set(sightings.flatMap(({ device, seen }) => [device, seen.peer]));
    if (ends.size !== 2) found.push(violation('KEY_OF_A_THIRD', devices, `key ${keyId} has not two ends`));
  }
  return found;
}

function pskOnce(entries: readonly Entry[]): readonly Violation[] {
  const taken = grouped(of(entries, 'psk'), ({ device, seen }) => `${device} ${seen.role} ${seen.identity}`);
  return [...taken.values()].flatMap((uses) =>
    uses.length === 1
      ? []
      : violation('PSK_REPEATED', namesOf(uses), `a PSK was given out ${uses.length} times`),
  );
}

function epochsRise(entries: readonly Entry[]): readonly Violation[] {
  const highest = new Map<string, number>();
  return of(entries, 'epochs').flatMap(({ device, seen }) =>
    Object.entries(seen.epochs).flatMap(([node, epoch]) => {
      const place = `${device} ${node}`;
      const before = highest.get(place) ?? 0;
      highest.set(place, Math.max(before, epoch));
      if (epoch >= before) return [];
      return violation('EPOCH_BACK', [device], `at ${node}, epoch ${epoch} came after ${before}`);
    }),
  );
}

function errorsNamed(entries: readonly Entry[]): readonly Violation[] {
  return entries.flatMap(({ device, seen }) => {
    const code = seen.kind === 'did' ? seen.outcome : seen.kind === 'warned' ? seen.code : '';
    return UNNAMED.has(code) ? violation('ERROR_UNNAMED', [device], JSON.stringify(seen)) : [];
  });
}

/** All nodes are honest: they may be silent, but nothing that they deliver is bad. */
function nobodyAccused(entries: readonly Entry[]): readonly Violation[] {
  return of(entries, 'reported').flatMap(({ device, seen: { reason, node } }) =>
    reason === 'DELIVERY_MISSING' ? [] : violation('HONEST_ACCUSED', [device], `${node}: ${reason}`),
  );
}

/** Nothing that began when either end was revoked has a key; nobody takes a key from whom it knows to be revoked. */
function nothingAfterRevocation(entries: readonly Entry[]): readonly Violation[] {
  const revoked = revocations(entries);
  const isOut = (device: string, at: number): boolean => (revoked.get(device) ?? Infinity) < at;
  const late = of(entries, 'did').filter(
    ({ device, seen: { task, began, peer = '' } }) =>
      task === 'negotiate' && (isOut(device, began) || isOut(peer, began)),
  );
  const lateIds = new Set(late.flatMap(({ seen: { keyId } }) => keyId ?? []));
  const told = new Map(of(entries, 'told').map(({ at, device, seen }) => [`${device} ${seen.revoked}`, at]));
  const knew = (device: string, other: string, at: number): boolean =>
    (told.get(`${device} ${other}`) ?? Infinity) < at;
  return [...of(entries, 'key'), ...of(entries, 'holds')].flatMap(({ at, device, seen }) => {
    const isLate = lateIds.has(seen.keyId);
    if (!isLate && !knew(device, seen.peer, at) && !knew(device, device, at)) return [];
    const text = `key ${seen.keyId} of ${device} and ${seen.peer} came about after a revocation`;
    return violation('KEY_AFTER_REVOCATION', [device, seen.peer], text);
  });
}

/** What a revoked device does, and what is done with it, is refused by name when all nodes are there. */
function revokedRefused(entries: readonly Entry[]): readonly Violation[] {
  const revoked = revocations(entries);
  const did = of(entries, 'did').flatMap(({ device, seen: { began, outcome, task } }) => {
    const isLate = (revoked.get(device) ?? Infinity) < began;
    const isDone = outcome === 'ok' || outcome === 'active' || outcome === 'confirmed';
    if (!isLate || !isDone) return [];
    return violation('REVOKED_NOT_REFUSED', [device], `${device} is revoked, and its ${task} went well`);
  });
  const refusals = of(entries, 'refusal');
  const unnamed = refusals.flatMap(({ device, seen: { task, code } }) =>
    REFUSALS.has(code) ? [] : violation('REVOKED_NOT_REFUSED', [device], `${task} got ${code}`),
  );
  const asked = new Set(refusals.map(({ device }) => device));
  const forgotten = [...revoked.keys()].flatMap((device) =>
    asked.has(device) ? [] : violation('REVOKED_NOT_REFUSED', [device], `nobody saw ${device} refused`),
  );
  return [...did, ...unnamed, ...forgotten];
}

function noKeyOfRevoked(entries: readonly Entry[]): readonly Violation[] {
  const revoked = revocations(entries);
  return of(entries, 'holds').flatMap(({ device, seen }) =>
    revoked.has(seen.peer) && !revoked.has(device)
      ? violation('KEY_OF_REVOKED_KEPT', [device, seen.peer], `key ${seen.keyId} was not erased`)
      : [],
  );
}

/** Every device that is not revoked agreed on one more key, and its peer holds it. */
function nobodyLost(entries: readonly Entry[]): readonly Violation[] {
  const revoked = revocations(entries);
  const holds = new Set(of(entries, 'holds').map(({ device, seen }) => `${device} ${seen.keyId}`));
  const well = new Set(
    of(entries, 'last').flatMap(({ device, seen: { keyId, peer } }) =>
      holds.has(`${device} ${keyId}`) && holds.has(`${peer} ${keyId}`) ? [device, peer] : [],
    ),
  );
  const all = new Set(entries.map(({ device }) => device));
  return [...all].flatMap((device) =>
    revoked.has(device) || well.has(device)
      ? []
      : violation('DEVICE_LOST', [device], `${device} agreed on no key at the end`),
  );
}

/** When each revoked device was. */
function revocations(entries: readonly Entry[]): ReadonlyMap<string, number> {
  return new Map(of(entries, 'revoked').map(({ device, at }) => [device, at]));
}

function of<K extends Kind>(entries: readonly Entry[], kind: K): readonly Seen<K>[] {
  return entries.filter((entry): entry is Seen<K> => entry.seen.kind === kind);
}

function grouped<T>(items: readonly T[], by: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(by(item)) ?? [];
    group.push(item);
    groups.set(by(item), group);
  }
  return groups;
}

function namesOf(entries: readonly Entry[]): readonly string[] {
  return [...new Set(entries.map(({ device }) => device))];
}

function violation(rule: Rule, devices: readonly string[], text: string): Violation {
  return { rule, devices, text };
}
