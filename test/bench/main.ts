import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchEcho } from './echo.js';
import { benchEntropy } from './entropy.js';
import { benchFlood } from './flood.js';
import { benchGroup } from './group.js';
import { benchPairwise, benchPairwiseCluster } from './pairwise.js';
import { benchRevocation } from './revocation.js';

const HELP = `npm run bench -- [--only NAME] [--cluster] [--keys N] [--json FILE]

  pairwise   completed pairwise keys, 64 in flight, three nodes, any two of which suffice, when 10,000 were made before;
             with the direct KEM between the devices (pairwise) and without it (pairwiseSymmetric). With --cluster each
             node is a process of its own over NATS, its figures stand by themselves (nodeCpuMsPerKey), and pairwise is
             without the direct KEM, pairwiseDirect with it
  revocation from the administrator's command to the receipt of the last of three nodes, each a process over NATS; the
             start of the program is left out, and counted in programP50Ms
  echo       a bare grpc-js echo, unary and streamed: the floor under the figures above
  group      groups of 10 to 10,000 members, three nodes with their stores and all members in one process: creation,
             removal, rotation; gRPC is left out; ts-mls beside, when the registry gives it
  flood      bad enrolment offers at one node: unknown tokens, wrong tags, garbage; the handler alone, and over gRPC
  entropy    the batteries, the Toeplitz extractor and the drbg tier, per CPU-second, with other programs beside them

Figures are CPU milliseconds of the server processes unless they say otherwise; latencies depend on what else the machine does.`;

const BENCHES: Readonly<Record<string, (keys: number, cluster: boolean) => Promise<object>>> = {
  pairwise: (keys, cluster) => (cluster ? benchPairwiseCluster(keys) : benchPairwise(keys)),
  revocation: () => benchRevocation(),
  echo: async (keys) => ({ echo: await benchEcho(keys * 10) }),
  flood: (attempts) => benchFlood(attempts),
  group: () => benchGroup(),
  entropy: async () => ({ entropy: benchEntropy() }),
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    keys: { type: 'string', default: '3000' },
    json: { type: 'string' },
    cluster: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const keys = Number(values.keys);
const names = values.only === undefined ? Object.keys(BENCHES) : [values.only];

if (values.help) {
  console.log(HELP);
} else if (!Number.isInteger(keys) || keys < 1 || names.some((name) => BENCHES[name] === undefined)) {
  console.error(HELP);
  process.exitCode = 2;
} else {
  const results: Record<string, object> = {};
  for (const name of names) {
    console.log(`measuring ${name} ...`);
    // One after the other: they share the machine.
    Object.assign(results, await BENCHES[name]?.(keys, values.cluster));
  }
  for (const [name, figures] of Object.entries(results)) {
    print(name, figures);
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}

/** Figures in lines below their name; those that hold others get names of their own. */
function print(name: string, figures: object): void {
  const entries = Object.entries(figures) as [string, number | object][];
  const lines = entries.flatMap(([figure, value]) =>
    typeof value === 'number'
      ? [`  ${figure.padEnd(20)} ${Number.isInteger(value) ? String(value) : value.toFixed(4)}`]
      : [],
  );
  if (lines.length > 0) console.log([`\n${name}`, ...lines].join('\n'));
  for (const [part, value] of entries) if (typeof value === 'object') print(`${name}.${part}`, value);
}
