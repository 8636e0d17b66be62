import { toBase32, toHex } from '@symmetra/crypto';
import type { Entry, History, Named, Seen } from './system-history.js';

/** What a whole system must never show, by name. */
export type Rule =
  | 'NOTHING_SEEN'
  | 'KEY_DIFFERS'
  | 'KEY_OF_A_THIRD'
  | 'EPOCH_DIFFERS'
  | 'ENDS_DISAGREE'
  | 'SEAL_REPEATED'
  | 'EVENT_LOST'
  | 'LOGS_DIFFER'
  | 'KEY_AFTER_REVOCATION'
  | 'REVOCATION_MISSED'
  | 'NEVER_FINISHED'
  | 'STAGE_BACK'
  | 'EPOCH_BACK'
  | 'FORMER_NODE'
  | 'NODE_BEHIND'
  | 'DEVICE_LOST'
  | 'ERROR_UNNAMED'
  | 'HONEST_ACCUSED'
  | 'SECRET_IN_LOG';

/** One rule that was broken. */
export interface Violation {
  readonly rule: Rule;
  readonly text: string;
}

type Kind = Seen['kind'];
type EntryOf<K extends Kind> = Entry & { readonly seen: Extract<Seen, { readonly kind: K }> };

/** Codes that tell a device's owner nothing: of an error that is not the program's own, or of a part underneath. */
const UNNAMED = new Set(['INTERNAL', 'SECRET_WIPED', 'STORE_CLOSED', 'UNKNOWN']);

/** By then everything that is lost on the way came again, and everything that was ill is well. */
const PATIENCE_MS = 150_000;

const HONEST_REASONS = new Set(['DELIVERY_MISSING', 'LIMITS_MISMATCH']);

/** Everything that a history shows and must not. */
export function violationsOf(history: History): readonly Violation[] {
  const { entries } = history;
  return [
    ...somethingSeen(entries),
    ...sameKeyOrNone(entries),
    ...sameEpochOrNone(entries),
    ...endsAgree(history),
    ...history.repeatedSeals.map((text) => violation('SEAL_REPEATED', text)),
    ...eventsThere(history),
    ...oneOrder(history),
    ...nothingAfterRevocation(history),
    ...revocationsArrive(history),
    ...negotiationsEnd(history),
    ...nothingGoesBack(history),
    ...formerNodesOut(history),
    ...nobodyBehind(history),
    ...nobodyLost(entries),
    ...errorsNamed(history),
    ...honestNotAccused(history),
    ...history.secretLines.map((text) => violation('SECRET_IN_LOG', text)),
  ];
}

/** A history without keys, groups or examinations proves nothing. */
function somethingSeen(entries: readonly Entry[]): readonly Violation[] {
  const missing = (['key', 'stands', 'exam'] as const).filter((kind) => of(entries, kind).length === 0);
  return missing.map((kind) => violation('NOTHING_SEEN', `the history tells nothing of ${kind}`));
}

/** Whoever holds a key of one id, whenever, holds the same one; and two devices do at most. */
function sameKeyOrNone(entries: readonly Entry[]): readonly Violation[] {
  return [...grouped(of(entries, 'key'), ({ seen }) => seen.keyId)].flatMap(([keyId, sightings]) => {
    const digests = new Set(sightings.flatMap(({ seen }) => seen.digest ?? []));
    const ends = new Set(sightings.flatMap(({ device, seen }) => [device, seen.peer]));
    const found: Violation[] = [];
    if (digests.size > 1) found.push(violation('KEY_DIFFERS', `key ${keyId} is not the same everywhere`));
    if (ends.size > 2) found.push(violation('KEY_OF_A_THIRD', `key ${keyId} has ${ends.size} ends`));
    return found;
  });
}

function sameEpochOrNone(entries: readonly Entry[]): readonly Violation[] {
  return [...grouped(of(entries, 'epoch'), ({ seen }) => seen.epochId)].flatMap(([epochId, sightings]) =>
    new Set(sightings.map(({ seen }) => `${seen.groupId} ${seen.digest}`)).size > 1
      ? [violation('EPOCH_DIFFERS', `epoch ${epochId} is not the same everywhere`)]
      : [],
  );
}

/** When one end knows that the other holds a key, the other holds it at the end, or says why it does no more. */
function endsAgree({ entries, revoked }: History): readonly Violation[] {
  const out = new Set(revoked.map(({ device }) => device));
  const examined = new Set(of(entries, 'exam').map(({ device }) => device));
  const told = new Set(
    [...of(entries, 'key'), ...of(entries, 'no-key').filter(({ seen }) => seen.code !== 'KEY_UNKNOWN')].map(
      ({ device, seen }) => `${device} ${seen.keyId}`,
    ),
  );
  return of(entries, 'key').flatMap(({ device, seen: { keyId, peer, state } }) => {
    const mustKnow = state !== 'pending' && examined.has(peer) && !out.has(peer);
    if (!mustKnow || told.has(`${peer} ${keyId}`)) return [];
    return [violation('ENDS_DISAGREE', `${device} holds ${keyId}, of which ${peer} knows nothing`)];
  });
}

function eventsThere({ accepted, logs }: History): readonly Violation[] {
  return Object.entries(logs).flatMap(([node, hashes]) =>
    accepted
      .filter(({ number, hash }) => hashes[number - 1] !== hash)
      .map(({ number }) => violation('EVENT_LOST', `${node} does not hold control event ${number}`)),
  );
}

function oneOrder({ logs }: History): readonly Violation[] {
  const orders = new Set(Object.values(logs).map((hashes) => hashes.join(' ')));
  return orders.size > 1 ? [violation('LOGS_DIFFER', 'the nodes hold different control logs')] : [];
}

/** No negotiation that began when every node knew of a revocation leads to a key. */
function nothingAfterRevocation({ entries, revoked }: History): readonly Violation[] {
  const outSince = new Map(revoked.map(({ device, at }) => [device, at]));
  const late = of(entries, 'did').filter(({ device, seen: { began, peer = '', task } }) => {
    const since = Math.min(outSince.get(device) ?? Infinity, outSince.get(peer) ?? Infinity);
    return task === 'negotiate' && began > since;
  });
  const lateIds = new Set(late.flatMap(({ seen: { keyId } }) => keyId ?? []));
  return of(entries, 'key').flatMap(({ device, seen: { keyId, peer, state } }) =>
    lateIds.has(keyId) && state !== 'pending'
      ? [violation('KEY_AFTER_REVOCATION', `${device} got key ${keyId} with ${peer} after a revocation`)]
      : [],
  );
}

/**
 * CTL-4: in the end nobody holds a key that is revoked, or one with a device that is, nor negotiates one. Where a node was
 * lost, those that had approved the key may be the ones that are no more.
 */
function revocationsArrive(history: History): readonly Violation[] {
  const { accepted, descriptors } = history;
  if (lossesOf(descriptors) > 0) return [];
  const out = outOf(history);
  const keys = new Set(accepted.flatMap(({ body }) => (body.kind === 'key-revoke' ? toHex(body.keyId) : [])));
  return [...seenLast(history, 'key'), ...seenLast(history, 'unfinished')]
    .filter(({ device, seen: { keyId, peer } }) => !out.has(device) && (keys.has(keyId) || out.has(peer)))
    .map(({ device, seen: { keyId, peer } }) =>
      violation('REVOCATION_MISSED', `${device} holds ${keyId} with ${peer}, which is revoked`),
    );
}

/**
 * SES-7, PAIR-4: a negotiation comes to an end when all is well, with a key or with a refusal. Too few nodes approve, or
 * hand over, what was asked under an older descriptor, or against a policy; where one lied, a first contact that needs all
 * of them gets no answer. What a revocation ends has a rule of its own.
 */
function negotiationsEnd(history: History): readonly Violation[] {
  const { accepted, entries, liars } = history;
  const out = outOf(history);
  const mayForbid = accepted.some(({ body }) => body.kind === 'policy' && body.policy.requireDirectKem);
  return [...grouped(of(entries, 'unfinished'), ({ seen }) => seen.keyId)].flatMap(([keyId, sightings]) => {
    const [first, last] = [sightings[0], sightings.at(-1)];
    if (first === undefined || last === undefined || last.at - first.at < PATIENCE_MS) return [];
    const { device, seen } = last;
    const isOut = out.has(device) || out.has(seen.peer);
    const mayStand = (liars.length > 0 && seen.state === 'pending') || (mayForbid && !seen.directKem);
    if (isOut || mayStand || !beganUnderNewest(history, device, first.at)) return [];
    return [violation('NEVER_FINISHED', `${device} negotiates ${keyId} with ${seen.peer}: ${seen.state}`)];
  });
}

/** The devices that are revoked in the end. */
function outOf({ accepted }: History): ReadonlySet<string> {
  return new Set(
    accepted.flatMap(({ body }) => (body.kind === 'device-revoke' ? toBase32(body.deviceId) : [])),
  );
}

/** Whether a device followed the newest descriptor already when it was looked at last before that time. */
function beganUnderNewest({ entries, descriptors }: History, device: string, at: number): boolean {
  const before = entries.filter((entry) => entry.device === device && entry.at < at);
  const isNewest = ({ seen }: EntryOf<'follows'>): boolean => seen.version === descriptors.at(-1)?.version;
  const since = descriptors.length === 1 ? 0 : of(before, 'follows').find(isNewest)?.at;
  return since !== undefined && of(before, 'stands').some((look) => look.at >= since);
}

/** What was seen when each device was looked at last. */
function seenLast<K extends Kind>({ entries }: History, kind: K): readonly EntryOf<K>[] {
  const last = new Map(of(entries, 'stands').map(({ device, at }) => [device, at]));
  return of(entries, kind).filter(({ device, at }) => at === last.get(device));
}

/** A place goes up only, but for as often as it may begin anew. */
class Rising {
  readonly #places = new Map<string, { readonly at: number; readonly anew: number }>();

  /** @returns whether the place went back and may not */
  goesBack(place: string, at: number, mayBeginAnew: number): boolean {
    const before = this.#places.get(place) ?? { at, anew: mayBeginAnew };
    const isBack = at < before.at;
    this.#places.set(place, { at, anew: isBack ? before.anew - 1 : before.anew });
    return isBack && before.anew <= 0;
  }
}

/** ENR-9: a chain begins anew with a node that has other keys; what k nodes granted, when one of them is no more. */
function nothingGoesBack({ entries, descriptors }: History): readonly Violation[] {
  const stages = new Rising();
  const epochs = new Rising();
  const lost = lossesOf(descriptors);
  return of(entries, 'stands').flatMap(({ device, seen }) => {
    const found: Violation[] = [];
    if (stages.goesBack(device, seen.stage, lost)) {
      found.push(violation('STAGE_BACK', `${device} went back to stage ${seen.stage}`));
    }
    for (const [node, epoch] of Object.entries(seen.epochs)) {
      const place = `${device} at ${node}`;
      const replaced = descriptors.filter((_, i) => lostBy(descriptors, i).includes(node)).length;
      if (epochs.goesBack(place, epoch, replaced)) {
        found.push(violation('EPOCH_BACK', `${place} went back to epoch ${epoch}`));
      }
    }
    return found;
  });
}

/** How often nodes were lost. */
function lossesOf(descriptors: readonly Named[]): number {
  return descriptors.filter((_, i) => lostBy(descriptors, i).length > 0).length;
}

/** The nodes of the descriptor before that one does not name, or with other keys. */
function lostBy(descriptors: readonly Named[], at: number): readonly string[] {
  const before = descriptors[at - 1]?.nodes ?? {};
  return Object.keys(before).filter((node) => descriptors[at]?.nodes[node] !== before[node]);
}

/** CTL-2: no node takes a process for a node that its descriptor does not name, and no device has a chain with one. */
function formerNodesOut({ entries, descriptors, links }: History): readonly Violation[] {
  const named = new Map(descriptors.map(({ version, nodes }) => [version, nodes]));
  const byNodes = links
    .filter(({ version, peer, peerKeys }) => named.get(version)?.[peer] !== peerKeys)
    .map(({ node, version, peer }) =>
      violation('FORMER_NODE', `${node} has a link with ${peer}, which descriptor ${version} does not name`),
    );
  const followed = new Map<string, Named['nodes']>();
  const byDevices = entries.flatMap(({ device, seen }) => {
    if (seen.kind === 'follows') followed.set(device, named.get(seen.version) ?? {});
    const nodes = followed.get(device);
    if (seen.kind !== 'stands' || nodes === undefined) return [];
    return Object.keys(seen.epochs)
      .filter((node) => nodes[node] === undefined)
      .map((node) => violation('FORMER_NODE', `${device} has a chain with ${node}, which is no more`));
  });
  return [...byNodes, ...byDevices];
}

/** When everything is well again, every process of every node runs, with the newest descriptor. */
function nobodyBehind({ descriptors, processes }: History): readonly Violation[] {
  const newest = descriptors.at(-1)?.version;
  return processes
    .filter(({ version }) => version !== newest)
    .map(({ name, version }) => violation('NODE_BEHIND', `${name} runs with descriptor ${version}`));
}

/** When everything is well again, every device can do everything. */
function nobodyLost(entries: readonly Entry[]): readonly Violation[] {
  return of(entries, 'exam').flatMap(({ device, seen: { task, code } }) =>
    code === 'ok' ? [] : [violation('DEVICE_LOST', `${device}: ${task} came to ${code}`)],
  );
}

function errorsNamed({ entries, failures }: History): readonly Violation[] {
  const unnamed = failures.map((text) => violation('ERROR_UNNAMED', text));
  return entries
    .flatMap(({ device, seen }) => {
      const code = seen.kind === 'did' ? seen.outcome : seen.kind === 'warned' ? seen.code : '';
      return UNNAMED.has(code) ? [violation('ERROR_UNNAMED', `${device}: ${JSON.stringify(seen)}`)] : [];
    })
    .concat(unnamed);
}

/**
 * An honest node may be silent, and grant other limits than the others while a new policy is on its way; nothing else
 * that it delivers is bad.
 */
function honestNotAccused({ entries, accused, liars }: History): readonly Violation[] {
  const wrongly = accused.filter((node) => !liars.includes(node));
  const byNodes = [...new Set(wrongly)].map((node) => violation('HONEST_ACCUSED', `a node accuses ${node}`));
  const byDevices = of(entries, 'reported').flatMap(({ device, seen: { node, reason } }) =>
    HONEST_REASONS.has(reason) || liars.includes(node)
      ? []
      : [violation('HONEST_ACCUSED', `${device} reports ${node}: ${reason}`)],
  );
  return [...byNodes, ...byDevices];
}

function of<K extends Kind>(entries: readonly Entry[], kind: K): readonly EntryOf<K>[] {
  return entries.filter((entry): entry is EntryOf<K> => entry.seen.kind === kind);
}

function grouped<T>(items: readonly T[], nameOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(nameOf(item));
    if (group === undefined) groups.set(nameOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function violation(rule: Rule, text: string): Violation {
  return { rule, text };
}
