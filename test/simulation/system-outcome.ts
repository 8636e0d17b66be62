import { toHex } from '@symmetra/crypto';
import { eventHash, nodeKeyHash } from '@symmetra/protocol';
import { linesWithSecrets } from '@symmetra/testing';
import type { NodeMachine, World } from '@symmetra/testing';
import { EXAM_MS } from './system-exam.js';
import type { Historian, History } from './system-history.js';

const LIST_EVENTS = '/symmetra.admin.v1.AdminService/ListEvents';

/** What is looked at in a line of a log. */
interface LogLine {
  readonly node?: string;
  /** `report` is what a device told. */
  readonly event?: string;
  readonly accused?: string;
  readonly err?: { readonly code?: string };
}

/** The history of a world, when everything is over. @throws when a node does not hand out its control log */
export async function historyOf(
  world: World,
  { entries, accepted, revoked }: Historian,
  secrets: ReadonlySet<string>,
): Promise<History> {
  const { machines, nodes, seals, sealed, root, meeting } = world;
  const lines = world.log.map((line) => JSON.parse(line) as LogLine);
  const liars = machines.filter(({ mood }) => mood.hasLied).map(({ id }) => id);
  // Whoever garbles what it asks finds that others do not answer it: what a liar says of others counts for nothing.
  const honest = lines.filter(({ node = '' }) => !liars.includes(node));
  const logs: Record<string, readonly string[]> = {};
  for (const node of nodes) logs[node.name] = await world.settled(EXAM_MS, eventHashes(world, node));
  for (const { event } of lines) if (event === 'device-introduced') world.occurrences.note('introduced');
  return {
    entries,
    accepted,
    revoked,
    logs,
    repeatedSeals: [...seals.repeated, ...sealed.violations],
    secretLines: linesWithSecrets(world.log, new Set([...seals.keys, ...secrets])),
    failures: [...meeting.failures, ...unnamedFailures(lines)],
    accused: honest.flatMap(({ event, accused = [] }) => (event === 'report' ? [] : accused)),
    liars,
    descriptors: root.descriptors.map((descriptor) => ({
      version: descriptor.version,
      nodes: Object.fromEntries(descriptor.nodes.map((node) => [node.id, toHex(nodeKeyHash(node))])),
    })),
    links: meeting.links,
    processes: nodes.map(({ name, running }) => ({ name, version: running?.descriptorVersion ?? 0 })),
  };
}

/** Errors that nodes and devices logged and that are not their own. */
function unnamedFailures(lines: readonly LogLine[]): readonly string[] {
  return lines.flatMap((line) =>
    line.err !== undefined && line.err.code === undefined ? JSON.stringify(line) : [],
  );
}

/** The hashes of the control events that a process of a node hands out, in their order. */
async function eventHashes(
  { administrator }: World,
  { id, address }: NodeMachine,
): Promise<readonly string[]> {
  const hashes: string[] = [];
  for (;;) {
    const from = hashes.length + 1;
    const { events } = await administrator.call(id, LIST_EVENTS, { from, limit: 100 }, { address });
    if (events.length === 0) return hashes;
    hashes.push(...events.map(({ event }) => toHex(eventHash(event))));
  }
}
