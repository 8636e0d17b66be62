import { CLUSTER_POLICY } from './cluster-control.js';
import type { ClusterEntry, ClusterHappening, Standing } from './cluster-history.js';
import type { Entry } from './fleet-history.js';

/** What a cluster must never show, by name, beside what its devices must not. */
export type ClusterRule =
  | 'NOTHING_SEEN'
  | 'EVENT_LOST'
  | 'EVENTS_DIFFER'
  | 'STAGE_BACK'
  | 'STANDING_LOST'
  | 'REVOCATION_LOST'
  | 'SEAL_REPEATED';

export interface ClusterViolation {
  readonly rule: ClusterRule;
  readonly text: string;
}

type Kind = ClusterHappening['kind'];
type Seen<K extends Kind> = ClusterEntry<Extract<ClusterHappening, { readonly kind: K }>>;

const { stages: STAGES } = CLUSTER_POLICY;
const NAME_BYTES = 16;

/**
 * Checks what administrators and nodes saw: one log everywhere with everything that was accepted, no device lost, no
 * stage back.
 * @param devices what was seen of the devices
 * @param seals names of the AEAD seals of all processes of nodes
 */
export function clusterViolationsOf(
  entries: readonly ClusterEntry[],
  devices: readonly Entry[],
  seals: readonly Uint8Array[],
): readonly ClusterViolation[] {
  return [
    ...somethingSeen(entries),
    ...eventsPresent(entries),
    ...oneLog(entries),
    ...stagesRise(entries),
    ...devicesKnown(entries, devices),
    ...sealsOnce(seals),
  ];
}

/** A history without events, logs and standings proves nothing. */
function somethingSeen(entries: readonly ClusterEntry[]): readonly ClusterViolation[] {
  const kinds = ['event', 'log', 'standings'] as const;
  return kinds.flatMap((kind) =>
    of(entries, kind).length > 0 ? [] : violation('NOTHING_SEEN', `the history has no "${kind}"`),
  );
}

/** CTL-8: what was accepted once has its number at every node. */
function eventsPresent(entries: readonly ClusterEntry[]): readonly ClusterViolation[] {
  return of(entries, 'event').flatMap(({ seen: { number, event } }) =>
    of(entries, 'log').flatMap(({ seen: { node, events } }) =>
      events[number - 1] === event ? [] : violation('EVENT_LOST', `${node} lacks event ${number}`),
    ),
  );
}

function oneLog(entries: readonly ClusterEntry[]): readonly ClusterViolation[] {
  const logs = new Set(of(entries, 'log').map(({ seen: { events } }) => events.join(' ')));
  return logs.size <= 1 ? [] : [violation('EVENTS_DIFFER', `the nodes have ${logs.size} different logs`)];
}

/** A node never takes a device back to an earlier stage, and never to an earlier epoch, whatever starts again. */
function stagesRise(entries: readonly ClusterEntry[]): readonly ClusterViolation[] {
  const highest = new Map<string, Standing>();
  return of(entries, 'standings').flatMap(({ seen: { node, devices } }) =>
    Object.entries(devices).flatMap(([device, standing]) => {
      const place = `${node} ${device}`;
      const before = highest.get(place) ?? standing;
      highest.set(place, standing);
      const isBack =
        STAGES.indexOf(standing.stage) < STAGES.indexOf(before.stage) || standing.epoch < before.epoch;
      if (!isBack) return [];
      const text = `${device} went from ${before.stage} ${before.epoch} to ${standing.stage} ${standing.epoch} at ${node}`;
      return violation('STAGE_BACK', text);
    }),
  );
}

/** In the end every node knows every device, revoked or not as the administrators want it. */
function devicesKnown(
  entries: readonly ClusterEntry[],
  devices: readonly Entry[],
): readonly ClusterViolation[] {
  const enrolled = devices.filter(({ seen }) => seen.kind === 'lifecycle' && seen.step === 'enrolled');
  const revoked = new Set(devices.filter(({ seen }) => seen.kind === 'revoked').map(({ device }) => device));
  const last = new Map(of(entries, 'standings').map(({ seen }) => [seen.node, seen.devices]));
  return enrolled.flatMap(({ device }) =>
    [...last].flatMap(([node, known]) => {
      const standing = known[device];
      if (standing === undefined) {
        // One that was revoked before it got to a node never gets there.
        return revoked.has(device) ? [] : violation('STANDING_LOST', `${node} does not know ${device}`);
      }
      if (standing.revoked === revoked.has(device)) return [];
      return violation('REVOCATION_LOST', `${device} is ${standing.revoked ? '' : 'not '}revoked at ${node}`);
    }),
  );
}

/** A key seals under a nonce once, whichever process of whatever node does it, before or after a kill. */
function sealsOnce(seals: readonly Uint8Array[]): readonly ClusterViolation[] {
  const seen = new Set<string>();
  let repeated = 0;
  for (const names of seals) {
    // A process that is killed leaves whole names: each is one write.
    for (let at = 0; at < names.length; at += NAME_BYTES) {
      const name = Buffer.from(names.subarray(at, at + NAME_BYTES)).toString('latin1');
      if (seen.has(name)) repeated += 1;
      seen.add(name);
    }
  }
  return repeated === 0
    ? []
    : [violation('SEAL_REPEATED', `${repeated} seals have an earlier key and nonce`)];
}

function of<K extends Kind>(entries: readonly ClusterEntry[], kind: K): readonly Seen<K>[] {
  return entries.filter((entry): entry is Seen<K> => entry.seen.kind === kind);
}

function violation(rule: ClusterRule, text: string): ClusterViolation {
  return { rule, text };
}
