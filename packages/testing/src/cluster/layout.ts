import { join } from 'node:path';

const HOST = '127.0.0.1';

/** The ports of a cluster. */
export interface ClusterPorts {
  readonly nats: number;
  readonly redis: number;
  /** One list for each node, one port for each of its processes. */
  readonly nodes: readonly (readonly number[])[];
  /** Likewise, for the metrics. */
  readonly metrics: readonly (readonly number[])[];
}

/** What a cluster is made of. */
export interface ClusterShape {
  readonly nodes: number;
  readonly threshold: number;
  /** Processes of each node; more than one needs Redis. */
  readonly replicas: readonly number[];
  /** Where each node keeps its state. */
  readonly stores: readonly ('lmdb' | 'redis')[];
}

/** Where everything of a cluster lies, below its directory. */
export class ClusterLayout {
  readonly dir: string;

  constructor(dir: string) {
    this.dir = dir;
  }

  /** What administrators use: `network.json`, `admin.key`, and the root's key. */
  get admin(): string {
    return join(this.dir, 'network');
  }

  /** The ports and the shape, kept for the next start. */
  get record(): string {
    return join(this.dir, 'cluster.json');
  }

  /** The folder of a part: a node, `nats` or `redis`. */
  part(name: string): string {
    return join(this.dir, name);
  }

  config(id: string): string {
    return join(this.part(id), 'node.yaml');
  }
}

/** The ids of the nodes. */
export function nodeIds({ nodes }: ClusterShape): readonly string[] {
  return Array.from({ length: nodes }, (_, i) => `node-${i + 1}`);
}

/** The addresses of a node: each of its processes has one. */
export function addressesOf(ports: ClusterPorts, node: number): readonly string[] {
  return (ports.nodes[node] ?? []).map((port) => `${HOST}:${port}`);
}

/** The configuration of a node, in YAML. What differs between its processes is given by the environment. */
export function nodeYaml(
  id: string,
  store: 'lmdb' | 'redis',
  ports: ClusterPorts,
  entropyFile: string | undefined,
): string {
  const redis = `{ kind: redis, url: "redis://${HOST}:${ports.redis}/0" }`;
  const lines = [
    `node: ${id}`,
    'network: ../network/network.json',
    'data: ./data',
    `listen: { host: ${HOST} }`,
    `store: ${store === 'redis' ? redis : '{ kind: lmdb }'}`,
    `bus: { servers: ["nats://${HOST}:${ports.nats}"] }`,
    `metrics: { host: ${HOST} }`,
    ...(entropyFile === undefined ? [] : [`entropy: ${JSON.stringify(entropyFile)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Redis as a node needs it: nothing acknowledged is lost. */
export function redisConf(port: number): string {
  return `bind ${HOST}
port ${port}
appendonly yes
appendfsync always
maxmemory-policy noeviction
save ""
`;
}
