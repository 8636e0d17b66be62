import { join } from 'node:path';
import { readNodeConfig } from '@symmetra/runtime/configuration';
import type { NodeConfig } from '@symmetra/runtime/configuration';
import { describe, expect, it } from 'vitest';
import { commandFaults, documentsOf, isThere, root, textOf } from './deploy-files.js';
import { flag, list, map, one, record, text, whole } from './deploy-shape.js';
import type { Shape } from './deploy-shape.js';

const FILE = 'deploy/compose/compose.yaml';
const SHARED = 'deploy/compose/node.yaml';
const ENTRY = ['node', '/opt/symmetra/packages/cli/bin/symmetra.mjs'];
const NODES = ['node-1', 'node-2', 'node-3-a', 'node-3-b'];

/* As the Compose specification has it; what these files do not use is unknown here. */
const words = list(text());
const duration = text(/^\d+(?:s|m)$/);
const size = text(/^\d+[mg]$/);
const service = (base: Readonly<Record<string, Shape>>): Shape =>
  record({
    ...base,
    'image?': text(/^[a-z]+:\d+\.\d+\.\d+(?:-[a-z]+)?$/),
    'build?': record({ context: text(), dockerfile: text() }),
    'command?': words,
    'entrypoint?': words,
    'profiles?': list(one('init')),
    'user?': text(/^\d+:\d+$/),
    'hostname?': text(),
    'read_only?': one(true),
    'cap_drop?': list(one('ALL')),
    'security_opt?': list(one('no-new-privileges:true')),
    'pids_limit?': whole(1),
    'mem_limit?': size,
    'restart?': one('unless-stopped', 'no'),
    'stop_grace_period?': duration,
    'logging?': record({ driver: one('json-file'), options: map(text()) }),
    'environment?': map(text()),
    'volumes?': list(
      record({ type: one('bind'), source: text(/^\.\//), target: text(/^\//), 'read_only?': flag }),
    ),
    'tmpfs?': words,
    'secrets?': words,
    'networks?': words,
    'network_mode?': one('none'),
    'ports?': list(text(/^\d+:\d+$/)),
    'depends_on?': map(record({ condition: one('service_healthy') })),
    'healthcheck?': record({ test: words, interval: duration, timeout: duration, retries: whole(1) }),
    'working_dir?': text(/^\//),
  });
const shape = record({
  name: text(),
  services: map(service({ extends: record({ file: one('node.yaml'), service: text() }) })),
  networks: map(record({ 'internal?': flag })),
  secrets: map(record({ file: text(/^\.\/site\//) })),
});
const sharedShape = record({ services: map(service({ 'extends?': record({ service: text() }) })) });

interface Volume {
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
}

interface Service {
  readonly extends?: { readonly service: string };
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly Volume[];
  readonly tmpfs?: readonly string[];
  readonly secrets?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly [name: string]: unknown;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const [content] = await documentsOf(FILE);
const [sharedContent] = await documentsOf(SHARED);
const compose = content as Compose;
const shared = (sharedContent as Pick<Compose, 'services'>).services;

/** A service with what it takes over. */
function merged(name: string): Service {
  const own = compose.services[name] ?? {};
  const bases: Service[] = [];
  for (let base = own.extends?.service; base !== undefined; base = shared[base]?.extends?.service) {
    bases.unshift(shared[base] ?? {});
  }
  return Object.assign({}, ...bases, own) as Service;
}

const services = Object.keys(compose.services).map((name) => ({ name, service: merged(name) }));
const ours = services.filter(({ service: { image } }) => image?.startsWith('symmetra:'));
const volumeAt = ({ volumes = [] }: Service, target: string): Volume | undefined =>
  volumes.find((volume) => volume.target === target);

async function configOf(found: Service): Promise<NodeConfig> {
  const source = volumeAt(found, '/etc/symmetra/node.yaml')?.source ?? 'none';
  return readNodeConfig(join(root, 'deploy/compose', source), found.environment ?? {});
}

describe('the compose file', () => {
  it('has the form that Compose wants', () => {
    expect(shape(content, 'compose')).toEqual([]);
    expect(sharedShape(sharedContent, 'node')).toEqual([]);
  });

  it('has everything that it names', () => {
    for (const { name, service: found } of services) {
      expect(shared, name).toHaveProperty(compose.services[name]?.extends?.service ?? '');
      expect(Object.keys(compose.networks), name).toEqual(
        expect.arrayContaining([...(found.networks ?? [])]),
      );
      expect(Object.keys(compose.secrets), name).toEqual(expect.arrayContaining([...(found.secrets ?? [])]));
      expect(Object.keys(compose.services), name).toEqual(
        expect.arrayContaining(Object.keys(found.depends_on ?? {})),
      );
      const sources = (found.volumes ?? [])
        .map(({ source }) => source)
        .filter((path) => !/^\.\/site\b/.test(path));
      expect(sources.filter((path) => !isThere(FILE, path))).toEqual([]);
    }
    const used = services.flatMap(({ service: { secrets = [] } }) => secrets);
    expect([...new Set(used)].toSorted()).toEqual(Object.keys(compose.secrets).toSorted());
  });

  it('builds the image from files that there are, with our version', async () => {
    const { version } = JSON.parse(await textOf('package.json')) as { version: string };
    expect(ours.length).toBeGreaterThan(4);
    for (const { service: found } of ours) {
      expect(found.image).toBe(`symmetra:${version}`);
      const { context = '', dockerfile = '' } = found.build ?? {};
      expect(isThere(SHARED, join(context, dockerfile))).toBe(true);
    }
  });

  it.each(services)('confines $name', ({ service: found }) => {
    expect(found).toMatchObject({
      user: '10001:10001',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      pids_limit: expect.any(Number),
      mem_limit: expect.any(String),
    });
  });

  it('lets nobody from outside reach anything but the nodes', () => {
    const published = services.filter(({ service: { ports } }) => ports !== undefined);
    expect(published.map(({ name }) => name)).toEqual(NODES);
    const outside = Object.entries(compose.networks).filter(([, { internal }]) => internal !== true);
    expect(outside.map(([name]) => name)).toEqual(['devices']);
    for (const name of ['nats', 'redis']) expect(merged(name).networks).not.toContain('devices');
  });

  it('shows the keys of the root and of administrators to nothing that stays up', () => {
    const lasting = services.filter(({ service: { profiles } }) => profiles === undefined);
    const sources = lasting.flatMap(({ service: { volumes = [] } }) => volumes.map(({ source }) => source));
    expect(sources.filter((path) => /\.key$|^\.\/site(?:\/network)?\/?$/.test(path))).toEqual([]);
  });
});

describe.each(NODES)('service %s', (name) => {
  const found = merged(name);

  it('runs a node whose configuration is good', async () => {
    const config = await configOf(found);
    expect(name.startsWith(config.node)).toBe(true);
    expect(await commandFaults([...ENTRY, 'node', 'run', '--config', '/etc/symmetra/node.yaml'])).toEqual([]);
  });

  it('publishes the port on which the node listens', async () => {
    const { listen } = await configOf(found);
    expect(found.ports?.map((port) => Number(port.split(':')[1]))).toEqual([listen.port]);
  });

  it('mounts the files that the configuration names, and its data to write to', async () => {
    const { network, data, masterKeyFile, bus, store } = await configOf(found);
    expect(volumeAt(found, network)).toMatchObject({ read_only: true });
    const isWritten = volumeAt(found, data)?.read_only !== true && volumeAt(found, data) !== undefined;
    expect(isWritten || found.tmpfs?.some((mount) => mount.startsWith(`${data}:`))).toBe(true);
    const password = store.kind === 'redis' ? [store.passwordFile] : [];
    const secrets = [masterKeyFile, bus.nkeySeedFile, ...password];
    expect(found.secrets?.map((secret) => `/run/secrets/${secret}`)).toEqual(secrets);
  });

  it('reaches the servers that the configuration names, on the ports that they have', async () => {
    const { bus, store } = await configOf(found);
    const urls = [...bus.servers, ...(store.kind === 'redis' ? [store.url ?? ''] : [])];
    for (const { hostname, port, protocol } of urls.map((url) => new URL(url))) {
      expect(port).toBe(protocol === 'nats:' ? '4222' : '6379');
      const server = merged(hostname);
      expect(
        server.networks?.some((network) => found.networks?.includes(network)),
        hostname,
      ).toBe(true);
      expect(Object.keys(found.depends_on ?? {})).toContain(hostname);
    }
  });
});

describe.each(['init-1', 'init-2', 'init-3'])('service %s', (name) => {
  const found = merged(name);
  const node = name.replace('init', 'node');

  it('makes the very keys that the node then has', async () => {
    const { entrypoint = [], environment } = found;
    expect(await commandFaults([...entrypoint, '--address', 'host:1'])).toEqual([]);
    expect(entrypoint.slice(0, 2)).toEqual(ENTRY);
    const config = await configOf(found);
    expect(environment).toBeDefined();
    const written = [config.masterKeyFile ?? '', config.bus.nkeySeedFile ?? ''].map((path) => {
      const { source = '' } = volumeAt(found, path.slice(0, path.lastIndexOf('/'))) ?? {};
      return `${source}${path.slice(path.lastIndexOf('/'))}`;
    });
    const secrets = ['master-key', 'nkey-seed'].map((kind) => compose.secrets[`${node}-${kind}`]?.file);
    expect(written).toEqual(secrets);
    expect(volumeAt(found, config.data)?.source).toBe(`./site/${node}/data`);
  });
});

describe('the document', () => {
  it('names services and commands that there are', async () => {
    const guide = (await textOf('docs/operations/deploy.md')).replaceAll(/\\\n\s*/g, '');
    const lines = [...guide.matchAll(/^docker compose --profile init run --rm (\S+) (.*)$/gm)];
    expect(lines).toHaveLength(5);
    for (const [, name = '', rest = ''] of lines) {
      const start = name === 'root' ? [] : (merged(name).entrypoint ?? ['no such service']);
      expect(await commandFaults([...start, ...rest.split(' ')])).toEqual([]);
    }
  });
});

describe('the servers', () => {
  it('start with the files that are made for them', async () => {
    expect(volumeAt(merged('nats'), '/etc/nats/nats.conf')).toMatchObject({ read_only: true });
    expect(merged('nats').command).toEqual(['--config', '/etc/nats/nats.conf']);
    expect(volumeAt(merged('nats'), '/var/lib/nats')?.read_only).toBeUndefined();
    const redis = merged('redis');
    expect(redis.command?.slice(0, 2)).toEqual(['redis-server', '/etc/redis/redis.conf']);
    expect(volumeAt(redis, redis.command?.at(-1) ?? '')?.read_only).toBeUndefined();
    expect(await textOf('deploy/redis/redis.conf')).toMatch(/^port 6379$/m);
  });
});
