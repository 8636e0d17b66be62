import { MAX_MESSAGE_BYTES } from './nats-connection.js';
import { NatsNames } from './nats-names.js';

/** Files of certificates, as the server finds them. */
export interface NatsServerTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** The authorities that may vouch for nodes and for other servers: both show certificates. */
  readonly caFile: string;
}

/** What a NATS server has to know. */
export interface NatsServerOptions {
  readonly networkIdHex: string;
  /** The nodes of the network, and the public nkeys by which they prove who they are. */
  readonly nodes: readonly { readonly id: string; readonly nkeyPublic: string }[];
  /** The nkey of operators, who may do everything to the network's subjects and its log. No node uses it. */
  readonly operatorPublic?: string;
  /** Where nodes connect, `host:port`. */
  readonly listen: string;
  /** Unique in a cluster of servers. */
  readonly serverName: string;
  /** Where the log is kept. */
  readonly storeDir: string;
  readonly tls?: NatsServerTls;
  /** The other servers, where there are several. */
  readonly cluster?: {
    readonly listen: string;
    /** `nats-route://host:port` of all servers; the own one may be among them. */
    readonly routes: readonly string[];
  };
}

const COMMENTS = {
  head: [
    'NATS server of a Symmetra network: carries sealed messages between nodes, and keeps the control log.',
    'Made by `symmetra network init`; docs/operations/nats.md tells what each part is for.',
  ],
  payload: ['The longest message that nodes send. Nodes refuse a server that takes less.'],
  jetStream: [
    'The control log is kept in files here. Its disk must be reliable, and no other server may use it.',
  ],
  tls: ['Nodes verify the server, and the server verifies nodes.'],
  cluster: ['Three servers keep the log as long as two of them run. server_name must differ in each.'],
  account: ['Nodes see nothing outside this account, which holds one stream: the control log.'],
  node: [
    'May send to any process of any node, append to the log and read it; hears only what is for itself.',
  ],
  operator: [
    'Operators: everything in this account. For repairs, backups and inspection; no node has this key.',
  ],
};

/**
 * The text of a server's configuration: each node may send to all others and hears only what is for itself.
 * @throws SymmetraError NODE_ID_UNUSABLE
 */
export function natsServerConfig(options: NatsServerOptions): string {
  const { serverName, listen, storeDir, tls, cluster, nodes, networkIdHex, operatorPublic } = options;
  const names = new NatsNames(networkIdHex);
  const users = nodes.flatMap(({ id, nkeyPublic }) => nodeBlock(id, nkeyPublic, names));
  const operator =
    operatorPublic === undefined ? [] : [...comment(COMMENTS.operator), `{ nkey: ${operatorPublic} }`];
  const lines = [
    ...comment(COMMENTS.head),
    '',
    `server_name: ${text(serverName)}`,
    `listen: ${text(listen)}`,
    ...comment(COMMENTS.payload),
    `max_payload: ${MAX_MESSAGE_BYTES}`,
    '',
    ...comment(COMMENTS.jetStream),
    `jetstream { store_dir: ${text(storeDir)} }`,
    '',
    ...(tls === undefined ? [] : [...comment(COMMENTS.tls), ...tlsBlock(tls), '']),
    ...(cluster === undefined ? [] : [...comment(COMMENTS.cluster), ...clusterBlock(cluster, tls), '']),
    ...comment(COMMENTS.account),
    'accounts {',
    ...indent([
      'SYMMETRA {',
      ...indent(['jetstream { max_streams: 1 }', 'users: [', ...indent([...users, ...operator]), ']']),
      '}',
    ]),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function nodeBlock(id: string, nkeyPublic: string, names: NatsNames): readonly string[] {
  const { publish, subscribe } = names.permissions(id);
  const permissions = [`publish { allow: ${list(publish)} }`, `subscribe { allow: ${list(subscribe)} }`];
  const block = [`nkey: ${nkeyPublic}`, 'permissions {', ...indent(permissions), '}'];
  return [...comment([`${id}. ${COMMENTS.node.join(' ')}`]), '{', ...indent(block), '}'];
}

function tlsBlock({ certFile, keyFile, caFile }: NatsServerTls): readonly string[] {
  const files = [`cert_file: ${text(certFile)}`, `key_file: ${text(keyFile)}`, `ca_file: ${text(caFile)}`];
  return ['tls {', ...indent([...files, 'verify: true', 'timeout: 5']), '}'];
}

function clusterBlock(
  { listen, routes }: NonNullable<NatsServerOptions['cluster']>,
  tls: NatsServerTls | undefined,
): readonly string[] {
  const block = ['name: symmetra', `listen: ${text(listen)}`, `routes: ${list(routes)}`];
  return ['cluster {', ...indent([...block, ...(tls === undefined ? [] : tlsBlock(tls))]), '}'];
}

function comment(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `# ${line}`);
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line === '' ? line : `  ${line}`));
}

function list(values: readonly string[]): string {
  return `[${values.map((value) => text(value)).join(', ')}]`;
}

/** JSON's strings are strings of this language, too. */
function text(value: string): string {
  return JSON.stringify(value);
}
