// `npm run cluster`: a cluster on this machine, without containers: three nodes, the first of them two processes that
// share a Redis, and NATS between them. A later run goes on with the same cluster; Ctrl-C ends all of it.
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled, run } from './setup.mjs';

const USAGE = `Usage: npm run cluster -- [--data DIR] [--port PORT] [--nodes N] [--threshold K] [--replicas N] [--store KIND]

  --data DIR     where the cluster lives (default: .symmetra-cluster); everything else counts at its first start only
  --port PORT    the first of its ports, which follow one another (default: 7500; 0: free ones)
  --nodes N      how many nodes (default: 3)
  --threshold K  how many of them suffice for a key (default: 2)
  --replicas N   processes of the first node, which share a Redis when there are several (default: 2)
  --store KIND   where the other nodes keep their state: lmdb or redis (default: lmdb)`;

/** @param {string} text */
const say = (text) => console.log(text);

/** @returns what the command line says; undefined when it only asks for help */
function options() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: '.symmetra-cluster' },
      port: { type: 'string', default: '7500' },
      nodes: { type: 'string', default: '3' },
      threshold: { type: 'string', default: '2' },
      replicas: { type: 'string', default: '2' },
      store: { type: 'string', default: 'lmdb' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  /** @param {string} text @param {number} least */
  const count = (text, least) => {
    const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least) return value;
    throw new Error(`${text} is no number of at least ${least}`);
  };
  const [port, nodes, threshold] = [
    count(values.port, 0),
    count(values.nodes, 2),
    count(values.threshold, 2),
  ];
  const store = ['lmdb', 'redis'].find((kind) => kind === values.store);
  if (store === undefined) throw new Error('a store is lmdb or redis');
  return {
    dir: resolve(values.data),
    nodes,
    threshold,
    replicas: count(values.replicas, 1),
    store: /** @type {'lmdb' | 'redis'} */ (store),
    ...(port > 0 && { port }),
  };
}

let asked;
try {
  asked = options();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}
if (asked === undefined) {
  say(USAGE);
  process.exit(0);
}

await ensureInstalled();
await ensureBuilt();
if ((await run('tsc', ['-b', 'packages/testing'])) !== 0) process.exit(1);
const { Cluster, clusterMissing } = await import('@symmetra/testing');

const missing = clusterMissing(asked.replicas > 1 || asked.store === 'redis');
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}

/** @type {Promise<void>} */
const interrupted = new Promise((settle) => {
  const signalled = () => settle(undefined);
  process.on('SIGINT', signalled).on('SIGTERM', signalled).on('SIGHUP', signalled);
});

const known = existsSync(resolve(asked.dir, 'cluster.json'));
say(`${known ? 'going on with' : 'making'} the cluster in ${asked.dir} ...`);
let cluster;
try {
  cluster = await Cluster.start(asked);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

const { ports, nodeIds, adminDir } = cluster;
say('');
for (const [i, id] of nodeIds.entries()) {
  const metrics = ports.metrics[i] ?? [];
  const where = (ports.nodes[i] ?? []).map((port, k) => `127.0.0.1:${port} (metrics ${metrics[k]})`);
  say(`  ${id}   ${where.join(', ')}   ${cluster.shape.stores[i]}`);
}
say(`  nats     127.0.0.1:${ports.nats}`);
if (cluster.redis !== undefined) say(`  redis    127.0.0.1:${ports.redis}`);
const admin = relative(process.cwd(), adminDir) || '.';
say(`
The logs are ${relative(process.cwd(), cluster.dir) || '.'}/*/log*. Ctrl-C ends everything. Next, in another terminal:

  npx --no-install symmetra token create --data ${admin} --uses 2
  npx --no-install symmetra device enrol --token TOKEN --state alice --name alice
  npx --no-install symmetra device enrol --token TOKEN --state bob --name bob
  npx --no-install symmetra admin device list --data ${admin}
  npx --no-install symmetra node health --address 127.0.0.1:${ports.nodes[0]?.[0]}
`);

await interrupted;
say('stopping ...');
await cluster.stop();
process.exit(0);
