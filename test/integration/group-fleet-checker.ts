import type { GroupEntry, GroupHappening } from './group-fleet-history.js';

/** What a group must never show, by name. */
export type GroupRule =
  | 'NOTHING_SEEN'
  | 'KEY_DIFFERS'
  | 'EPOCH_BACK'
  | 'HELD_BEFORE_JOINING'
  | 'HELD_WHILE_OUT'
  | 'REVOKED_TOO_LONG'
  | 'MESSAGE_FORGED'
  | 'MESSAGE_TWICE'
  | 'SENDER_OUTSIDE'
  | 'MEMBERS_DIFFER'
  | 'DEVICE_LOST'
  | 'HONEST_ACCUSED'
  | 'ERROR_UNNAMED';

/** One rule that was broken, and the devices whose histories tell of it. */
export interface GroupViolation {
  readonly rule: GroupRule;
  readonly devices: readonly string[];
  readonly text: string;
}

type Kind = GroupHappening['kind'];
type Seen<K extends Kind> = GroupEntry & { readonly seen: Extract<GroupHappening, { readonly kind: K }> };

/** Codes that say that somebody lied, where nobody does. */
const ACCUSING = new Set(['AUTHENTICATION_FAILED', 'BAD_SIGNATURE', 'BAD_BROADCAST', 'SHARE_MISMATCH']);
/** Codes that tell a device's owner nothing: of an error that is not the program's own, or of a part underneath. */
const UNNAMED = new Set(['INTERNAL', 'SECRET_WIPED', 'STORE_CLOSED']);

/** Checks what all processes saw of one group: one key per epoch, for its members alone; nobody lost, nothing forged. */
export function groupViolationsOf(entries: readonly GroupEntry[]): readonly GroupViolation[] {
  return [
    ...somethingSeen(entries),
    ...oneKeyPerEpoch(entries),
    ...epochsRise(entries),
    ...membersAlone(entries),
    ...outInTime(entries),
    ...messagesGenuine(entries),
    ...messagesOnce(entries),
    ...membersAgree(entries),
    ...codesFit(entries),
  ];
}

/** A history without keys and messages proves nothing. */
function somethingSeen(entries: readonly GroupEntry[]): readonly GroupViolation[] {
  const kinds = ['holds', 'opened', 'in', 'final'] as const;
  return kinds.flatMap((kind) =>
    of(entries, kind).length > 0 ? [] : violation('NOTHING_SEEN', [], `the history has no "${kind}"`),
  );
}

/** Whoever holds an epoch of one id, at whatever time, holds the same key. */
function oneKeyPerEpoch(entries: readonly GroupEntry[]): readonly GroupViolation[] {
  const sightings = grouped(holdings(entries), ({ seen }) => seen.epochId);
  return [...sightings].flatMap(([epochId, seen]) => {
    const keys = new Set(seen.map((one) => `${one.seen.epoch} ${one.seen.fingerprint} ${one.seen.digest}`));
    if (keys.size === 1) return [];
    return violation('KEY_DIFFERS', namesOf(seen), `epoch ${epochId} has ${keys.size} keys`);
  });
}

/** The newest epoch of a device never has a lower number than before, whatever stopped and started. */
function epochsRise(entries: readonly GroupEntry[]): readonly GroupViolation[] {
  const highest = new Map<string, number>();
  return of(entries, 'holds').flatMap(({ device, seen: { epoch, newest } }) => {
    if (!newest) return [];
    const before = highest.get(device) ?? 0;
    highest.set(device, Math.max(before, epoch));
    return epoch >= before
      ? []
      : violation('EPOCH_BACK', [device], `epoch ${epoch} was the newest after ${before}`);
  });
}

/** Nobody holds an epoch that it is not in: none before it came, none after it went, was put out or was revoked. */
function membersAlone(entries: readonly GroupEntry[]): readonly GroupViolation[] {
  const firstSeen = new Map<string, number>();
  for (const { at, seen } of holdings(entries)) {
    if (!firstSeen.has(seen.epochId)) firstSeen.set(seen.epochId, at);
  }
  const histories = grouped(entries, ({ device }) => device);
  return holdings(entries).flatMap(({ at, device, seen: { epoch, epochId } }) => {
    const own = histories.get(device) ?? [];
    if (!memberships(own).some(({ above, below }) => above < epoch && epoch < below)) {
      const wasOut = of(own, 'out').some(({ seen: { from } }) => from <= epoch);
      const rule = wasOut ? 'HELD_WHILE_OUT' : 'HELD_BEFORE_JOINING';
      return violation(rule, [device], `${device} held epoch ${epoch}, and was not in it`);
    }
    const revoked = of(own, 'revoked').find((entry) => entry.at < (firstSeen.get(epochId) ?? at));
    const left = of(own, 'left').find((entry) => entry.at < at && !cameBack(own, entry.at, at));
    if (revoked === undefined && left === undefined) return [];
    return violation('HELD_WHILE_OUT', [device], `${device} held epoch ${epoch} after it had gone`);
  });
}

/** CTL-4, GRP-10: policy's bound after a revocation, every member that stays has an epoch without the device. */
function outInTime(entries: readonly GroupEntry[]): readonly GroupViolation[] {
  return of(entries, 'revoked').flatMap(({ at, device, seen: { boundMs } }) => {
    const out = of(entries, 'out').find((entry) => entry.device === device && entry.at > at);
    if (out === undefined) {
      return violation('REVOKED_TOO_LONG', [device], `the group never did without ${device}`);
    }
    const late = currentMembers(entries, out.at).filter((member) => {
      const first = holdings(entries).find(
        (entry) => entry.device === member && entry.seen.epoch >= out.seen.from,
      );
      return first === undefined || first.at > at + boundMs;
    });
    if (late.length === 0) return [];
    return violation(
      'REVOKED_TOO_LONG',
      [device, ...late],
      `${device} was in the group for over ${boundMs} ms`,
    );
  });
}

/** GRP-12: what a device opens is what a member sealed, by its own name, under an epoch that it held. */
function messagesGenuine(entries: readonly GroupEntry[]): readonly GroupViolation[] {
  const names = new Map(of(entries, 'opened-state').map(({ device, seen }) => [seen.id, device]));
  const sealers = new Map(of(entries, 'sealing').map(({ device, seen }) => [seen.text, device]));
  const epochIds = new Map(of(entries, 'sealed').map(({ seen }) => [seen.text, seen.epochId]));
  const held = new Set(holdings(entries).map(({ device, seen }) => `${device} ${seen.epochId}`));
  return of(entries, 'opened').flatMap(({ device, seen: { text, sender, epochId } }) => {
    const name = names.get(sender) ?? sender;
    if (sealers.get(text) !== name || (epochIds.get(text) ?? epochId) !== epochId) {
      return violation('MESSAGE_FORGED', [device, name], `${name} never sealed "${text}" so`);
    }
    if (held.has(`${name} ${epochId}`)) return [];
    return violation(
      'SENDER_OUTSIDE',
      [device, name],
      `${name} sent "${text}" in an epoch that it never held`,
    );
  });
}

/** GRP-12: a receiver takes each message once, over restarts too. */
function messagesOnce(entries: readonly GroupEntry[]): readonly GroupViolation[] {
  const taken = grouped(of(entries, 'opened'), ({ device, seen }) => `${device} "${seen.text}"`);
  return [...taken].flatMap(([what, times]) =>
    times.length === 1 ? [] : violation('MESSAGE_TWICE', namesOf(times), `${what}: ${times.length} times`),
  );
}

/** In the end all members hold one epoch, which counts just them, and have opened or sealed a message under it. */
function membersAgree(entries: readonly GroupEntry[]): readonly GroupViolation[] {
  const members = currentMembers(entries, Infinity);
  const finals = of(entries, 'final');
  const ends = new Map(finals.map(({ device, seen }) => [device, seen]));
  const keys = new Set(finals.map(({ seen }) => `${seen.epochId} ${seen.fingerprint} ${seen.digest}`));
  const differ =
    keys.size > 1 || finals.some(({ seen }) => seen.members !== members.length)
      ? [
          violation(
            'MEMBERS_DIFFER',
            namesOf(finals),
            `${members.length} members, ${keys.size} keys at the end`,
          ),
        ]
      : [];
  const strangers = [...ends.keys()].filter((device) => !members.includes(device));
  const spoke = new Set(
    [...of(entries, 'opened'), ...of(entries, 'sealed')].map(
      ({ device, seen }) => `${device} ${seen.epochId}`,
    ),
  );
  const lost = members.filter((device) => !spoke.has(`${device} ${ends.get(device)?.epochId ?? ''}`));
  return [
    ...differ,
    ...strangers.map((device) => violation('HELD_WHILE_OUT', [device], `${device} is in the last epoch`)),
    ...lost.map((device) => violation('DEVICE_LOST', [device], `${device} is a member, and had no part`)),
  ];
}

/** Nobody lies here, and every error has a name. */
function codesFit(entries: readonly GroupEntry[]): readonly GroupViolation[] {
  return entries.flatMap(({ device, seen }) => {
    const code = seen.kind === 'did' ? seen.outcome : seen.kind === 'warned' ? seen.code : '';
    if (ACCUSING.has(code)) return violation('HONEST_ACCUSED', [device], JSON.stringify(seen));
    return UNNAMED.has(code) ? violation('ERROR_UNNAMED', [device], JSON.stringify(seen)) : [];
  });
}

interface Membership {
  readonly above: number;
  readonly below: number;
}

/** The epochs that a device may hold, by its own entries. */
function memberships(own: readonly GroupEntry[]): readonly Membership[] {
  const found: Membership[] = [];
  for (const { seen } of own) {
    if (seen.kind === 'in') found.push({ above: seen.above, below: Infinity });
    const last = found.at(-1);
    if (seen.kind === 'out' && last !== undefined) found[found.length - 1] = { ...last, below: seen.from };
  }
  return found;
}

function cameBack(own: readonly GroupEntry[], after: number, before: number): boolean {
  return of(own, 'in').some(({ at }) => after < at && at < before);
}

/** Who is in the group at a time. */
function currentMembers(entries: readonly GroupEntry[], until: number): readonly string[] {
  const members = new Set<string>();
  for (const { at, device, seen } of entries) {
    if (at > until) break;
    if (seen.kind === 'in') members.add(device);
    if (seen.kind === 'out') members.delete(device);
  }
  return [...members];
}

function holdings(entries: readonly GroupEntry[]): readonly (Seen<'holds'> | Seen<'final'>)[] {
  return entries.filter(
    (entry): entry is Seen<'holds'> | Seen<'final'> =>
      entry.seen.kind === 'holds' || entry.seen.kind === 'final',
  );
}

function of<K extends Kind>(entries: readonly GroupEntry[], kind: K): readonly Seen<K>[] {
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

function namesOf(entries: readonly GroupEntry[]): readonly string[] {
  return [...new Set(entries.map(({ device }) => device))];
}

function violation(rule: GroupRule, devices: readonly string[], text: string): GroupViolation {
  return { rule, devices, text };
}
