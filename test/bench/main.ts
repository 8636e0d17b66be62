import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchEcho } from './echo.js';
import { benchEntropy } from './entropy.js';
import { benchFlood } from './flood.js';
import { benchPairwise } from './pairwise.js';

const HELP = `npm run bench -- [--only NAME] [--keys N] [--json FILE]

  pairwise   completed pairwise keys, 64 in flight, three nodes, any two of which suffice; with the direct KEM
             between the devices (pairwise) and without it (pairwiseSymmetric)
  echo       a bare grpc-js echo, unary and streamed: the floor under the figures above
  flood      bad enrolment offers at one node: unknown tokens, wrong tags, garbage; the handler alone, and over gRPC
  entropy    the batteries, the Toeplitz extractor and the drbg tier, per CPU-second, with other programs beside them

Figures are CPU milliseconds of the server processes unless they say otherwise; latencies depend on what else the machine does.`;

const BENCHES: Readonly<Record<string, (keys: number) => Promise<object>>> = {
  pairwise: (keys) => benchPairwise(keys),
  echo: async (keys) => ({ echo: await benchEcho(keys * 10) }),
  flood: (attempts) => benchFlood(attempts),
  entropy: async () => ({ entropy: benchEntropy() }),
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    keys: { type: 'string', default: '3000' },
    json: { type: 'string' },
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
    Object.assign(results, await BENCHES[name]?.(keys));
  }
  for (const [name, figures] of Object.entries(results)) {
    console.log(`\n${name}`);
    for (const [figure, value] of Object.entries(figures)) {
      console.log(`  ${figure.padEnd(20)} ${Number.isInteger(value) ? value : Number(value).toFixed(4)}`);
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}
