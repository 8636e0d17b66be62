import { resolve } from 'node:path';
import { z } from 'zod';
import { LOG_LEVELS } from './logging.js';

const MAX_PORT = 65_535;
const MAX_LOG_REPLICAS = 5;
const DAY_SECONDS = 86_400;

const nodeId = z.string().regex(/^[a-z0-9-]{1,32}$/, 'a node id is 1 to 32 of a-z, 0-9 and "-"');
const text = z.string().min(1).max(1024);
const hostAndPort = z.string().regex(/^(?:[^\s:[\]]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/, 'an address is HOST:PORT');

/** An address of one of a few schemes. Secrets lie in files: it names no user and no password. */
function url(schemes: readonly string[]) {
  return text.refine(
    (value) => {
      if (!URL.canParse(value)) return false;
      const { protocol, username, password } = new URL(value);
      return schemes.includes(protocol.slice(0, -1)) && username === '' && password === '';
    },
    `an address begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}, and names no user and no password`,
  );
}

/** A setting with what the examples say of it; those without a default need a value to show. */
function setting<Schema extends z.ZodType>(schema: Schema, description: string, example?: unknown): Schema {
  return schema.meta({ description, ...(example !== undefined && { example }) });
}

/**
 * The configuration of one node. The examples and the names of the environment variables are made from it.
 * @param directory relative paths begin here
 */
export function nodeSchema(directory: string) {
  const path = z
    .string()
    .min(1)
    .max(4096)
    .overwrite((value) => resolve(directory, value));

  const tlsFiles = {
    caFile: setting(
      path.optional(),
      'Who signs the certificates of the other side; the system knows by default.',
      '/etc/symmetra/ca.crt',
    ),
    certFile: setting(
      path.optional(),
      'The certificate that this node shows, with keyFile.',
      '/etc/symmetra/node.crt',
    ),
    keyFile: setting(path.optional(), 'Its private key (0600).', '/etc/symmetra/node.key'),
  };
  const tls = z
    .strictObject(tlsFiles)
    .refine(
      ({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined),
      'certFile and keyFile go together',
    );

  const lmdb = setting(
    z.strictObject({ kind: setting(z.literal('lmdb'), 'Below `data`, for a node that is one process.') }),
    '',
  );
  const redis = z
    .strictObject({
      kind: setting(
        z.literal('redis'),
        'In Redis, for a node of several processes; sealed before it leaves the process.',
      ),
      url: setting(
        url(['redis', 'rediss']).optional(),
        'One server and its database; or else sentinels.',
        'redis://127.0.0.1:6379/0',
      ),
      sentinels: setting(
        z.array(hostAndPort).min(1).max(16).optional(),
        'The sentinels that know the server.',
        ['10.0.0.1:26379', '10.0.0.2:26379', '10.0.0.3:26379'],
      ),
      master: setting(text.optional(), 'The name by which they know it.', 'symmetra'),
      username: setting(text.optional(), 'The user of the access list.', 'node-1'),
      passwordFile: setting(
        path.optional(),
        'Its password: the first line of this file (0600).',
        '/etc/symmetra/redis.password',
      ),
      sentinelUsername: setting(
        text.optional(),
        'The user of the access list of the sentinels, if they have one.',
        'node-1',
      ),
      sentinelPasswordFile: setting(
        path.optional(),
        'The password that the sentinels ask for: the first line of this file (0600).',
        '/etc/symmetra/sentinel.password',
      ),
      tls: setting(tls.optional(), 'TLS to the server, and to the sentinels.'),
    })
    .refine((store) => (store.url === undefined) !== (store.sentinels === undefined), {
      path: ['url'],
      message: 'a store in Redis has a url, or else sentinels',
    })
    .refine((store) => (store.sentinels === undefined) === (store.master === undefined), {
      path: ['master'],
      message: 'sentinels and master go together',
    })
    .refine(
      ({ sentinels, sentinelPasswordFile }) => sentinels !== undefined || sentinelPasswordFile === undefined,
      { path: ['sentinelPasswordFile'], message: 'sentinelPasswordFile goes with sentinels' },
    )
    .refine(
      ({ sentinelUsername, sentinelPasswordFile }) =>
        sentinelUsername === undefined || sentinelPasswordFile !== undefined,
      { path: ['sentinelUsername'], message: 'sentinelUsername goes with sentinelPasswordFile' },
    );

  const qkd = z.strictObject({
    url: setting(
      url(['https', 'http']),
      'The key management entity of this node (ETSI GS QKD 014).',
      'https://kme.example:8443',
    ),
    peerSaeId: setting(text, 'The id of the other node there.', 'sae-2'),
    tls: setting(tls.optional(), 'TLS to it.'),
    required: setting(
      z.boolean().default(true),
      'false: a link comes about without a key of it, too. Set the same at both ends.',
    ),
  });

  return z.strictObject({
    node: setting(nodeId, 'The id of this node.', 'node-1'),
    network: setting(
      path,
      'The descriptor of the network, signed by its root. What the node has learnt since is newer and goes before it.',
      './network.json',
    ),
    data: setting(
      path,
      'The directory of the node (0700): its master key, and its store unless that is in Redis.',
      './data',
    ),
    masterKeyFile: setting(
      path.optional(),
      'The key under which everything is sealed that the node stores: 32 raw bytes (0600). `data`/master.key by default.',
      '/etc/symmetra/master.key',
    ),
    listen: setting(
      z
        .strictObject({
          host: setting(z.string().min(1).max(255).default('0.0.0.0'), 'The address to listen on.'),
          port: setting(
            z.int().min(0).max(MAX_PORT).default(7401),
            'The port for devices and administrators.',
          ),
          reflection: setting(z.boolean().default(false), 'Whether gRPC server reflection is offered.'),
        })
        .prefault({}),
      'Where devices and administrators call.',
    ),
    store: setting(
      z.discriminatedUnion('kind', [lmdb, redis]).default({ kind: 'lmdb' }),
      'Where the state of the node is kept.',
    ),
    bus: setting(
      z.strictObject({
        servers: setting(
          z
            .array(url(['nats', 'tls']))
            .min(1)
            .max(16),
          'The NATS servers of the network.',
          ['nats://127.0.0.1:4222'],
        ),
        nkeySeedFile: setting(
          path.optional(),
          'The seed by which NATS knows this node (0600); `symmetra node init` draws it.',
          './nkey.seed',
        ),
        tls: setting(tls.optional(), 'TLS to the servers.'),
        logReplicas: setting(
          z.int().min(1).max(MAX_LOG_REPLICAS).default(1),
          'On how many NATS servers the control log is kept: 1, or 3 with three servers.',
        ),
      }),
      'How the nodes reach one another. What travels is sealed with keys that NATS does not have.',
    ),
    links: setting(
      z
        .strictObject({
          renewSeconds: setting(
            z.int().min(10).max(DAY_SECONDS).default(3600),
            'How long a link between two processes keeps its keys.',
          ),
          pskFiles: setting(
            z.record(nodeId, path).optional(),
            'Keys shared with other nodes beforehand, mixed into those of the links: 32 raw bytes (0600), the same at both ends.',
            { 'node-2': './node-2.psk' },
          ),
          qkd: setting(
            z.record(nodeId, qkd).optional(),
            'Other nodes with which keys of a quantum key distribution are mixed in.',
            { 'node-2': qkd },
          ),
        })
        .prefault({}),
      'The links between the processes of the nodes.',
    ),
    freshness: setting(
      z
        .strictObject({
          maxStalenessSeconds: setting(
            z.int().min(1).max(3600).default(5),
            'The node makes keys only while enough nodes have agreed on the control log within this time.',
          ),
          heartbeatSeconds: setting(
            z.int().min(1).max(600).default(1),
            'How often it tells the others its place in the log.',
          ),
        })
        .prefault({})
        .refine(({ maxStalenessSeconds, heartbeatSeconds }) => heartbeatSeconds < maxStalenessSeconds, {
          path: ['heartbeatSeconds'],
          message: 'heartbeats come more often than maxStalenessSeconds',
        }),
      'How old the word of the other nodes may be.',
    ),
    metrics: setting(
      z
        .strictObject({
          host: setting(z.string().min(1).max(255).default('127.0.0.1'), 'The address to listen on.'),
          port: setting(z.int().min(0).max(MAX_PORT).default(9464), 'The port.'),
        })
        .optional(),
      'Metrics for Prometheus, at /metrics. None without it.',
    ),
    log: setting(
      z
        .strictObject({
          level: setting(
            z.enum(LOG_LEVELS).default('info'),
            `The least severe line: ${LOG_LEVELS.join(', ')}.`,
          ),
        })
        .prefault({}),
      'The log: JSON lines on standard error.',
    ),
    entropy: setting(
      path.optional(),
      'Where random numbers come from (docs/entropy/sources.md). By default a simulated detector, mixed with the operating system.',
      './entropy.yaml',
    ),
  });
}

/** The configuration as it is used: complete, its paths absolute. */
export type NodeConfig = Readonly<z.output<ReturnType<typeof nodeSchema>>>;
