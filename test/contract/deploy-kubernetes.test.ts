import { dirname, join } from 'node:path';
import { readNodeConfig } from '@symmetra/runtime/configuration';
import { describe, expect, it } from 'vitest';
import { commandFaults, documentsOf, isThere, root, textOf, yamlFilesIn } from './deploy-files.js';
import { kustomization, manifest } from './deploy-kinds.js';

const FOLDER = 'deploy/kubernetes';
const PARTS = ['node', 'nats', 'redis'];
const EXAMPLES = ['node-1', 'node-2', 'node-3'];
const UP_TO_US = ['network.json'];

type Labels = Readonly<Record<string, string>>;

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

interface Probe {
  readonly grpc?: { readonly port: number };
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly tcpSocket?: { readonly port: string };
}

interface Template {
  readonly metadata: { readonly labels: Labels };
  readonly spec: {
    readonly terminationGracePeriodSeconds: number;
    readonly initContainers?: readonly Container[];
    readonly containers: readonly [Container];
    readonly volumes: readonly { readonly name: string }[];
  };
}

interface Rule {
  readonly from?: readonly { readonly podSelector?: { readonly matchLabels: Labels } }[];
  readonly to?: readonly { readonly podSelector?: { readonly matchLabels: Labels } }[];
  readonly ports: readonly { readonly port: number }[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly serviceName: string;
    readonly selector: { readonly matchLabels: Labels };
    readonly template: Template;
    readonly replicas: number;
    readonly minAvailable?: number;
    readonly volumeClaimTemplates?: readonly Pick<Manifest, 'metadata'>[];
    readonly podSelector: { readonly matchLabels?: Labels };
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
    readonly ports: readonly { readonly port: number; readonly targetPort: string }[];
  };
}

interface Kustomization {
  readonly namespace?: string;
  readonly resources: readonly string[];
  readonly configMapGenerator?: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
}

const files = (await yamlFilesIn(FOLDER)).filter((file) => !/\/node-\d\/node\.yaml$/.test(file));
const parsed = await Promise.all(files.map(async (file) => ({ file, documents: await documentsOf(file) })));
const isKustomization = (file: string): boolean => file.endsWith('kustomization.yaml');

/** The manifests of a part. */
const manifestsOf = (part: string): readonly Manifest[] =>
  parsed
    .filter(({ file }) => dirname(file) === join(FOLDER, part) && !isKustomization(file))
    .flatMap(({ documents }) => documents as readonly Manifest[]);
const ofKind = (part: string, kind: string): readonly Manifest[] =>
  manifestsOf(part).filter((one) => one.kind === kind);
const setOf = (part: string): Manifest => {
  const [set, ...others] = ofKind(part, 'StatefulSet');
  if (set === undefined || others.length > 0) throw new Error(`not one StatefulSet of ${part}`);
  return set;
};
const containerOf = (part: string): Container => setOf(part).spec.template.spec.containers[0];
const portsOf = (part: string): ReadonlyMap<string, number> =>
  new Map(containerOf(part).ports?.map(({ name, containerPort }) => [name, containerPort]));
const kustomizationOf = (folder: string): Kustomization => {
  const found = parsed.find(({ file }) => file === join(FOLDER, folder, 'kustomization.yaml'));
  return found?.documents[0] as Kustomization;
};

describe.each(parsed)('$file', ({ file, documents }) => {
  it('has the form that Kubernetes wants', () => {
    const shape = isKustomization(file) ? kustomization : manifest;
    expect(documents.flatMap((document, i) => shape(document, `document ${i + 1}`))).toEqual([]);
  });
});

describe.each(PARTS)('the pods of %s', (part) => {
  const set = setOf(part);
  const templates = [set, ...ofKind(part, 'Job')].map(({ spec }) => spec.template);

  it('mount volumes that there are, each of them', () => {
    for (const { spec } of templates) {
      const claims = set.spec.volumeClaimTemplates?.map(({ metadata }) => metadata.name) ?? [];
      const own = spec.volumes.map(({ name }) => name);
      const volumes = new Set([...own, ...claims]);
      const containers = [...(spec.initContainers ?? []), ...spec.containers];
      const mounted = new Set(containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)));
      expect([...mounted].toSorted()).toEqual([...volumes].toSorted());
    }
  });

  it('have the labels by which the set, its services and its policies know them', () => {
    const { labels } = set.spec.template.metadata;
    expect(set.spec.selector.matchLabels).toEqual(labels);
    for (const { spec } of ofKind(part, 'Service')) expect(spec.selector).toEqual(labels);
    for (const { spec } of ofKind(part, 'PodDisruptionBudget')) {
      expect(spec.selector.matchLabels).toEqual(labels);
      expect(spec.minAvailable ?? 0).toBeLessThan(Math.max(2, set.spec.replicas));
    }
    expect(ofKind(part, 'Service').map(({ metadata }) => metadata.name)).toContain(set.spec.serviceName);
  });

  it('listen on the ports that services, probes and policies name', () => {
    const ports = portsOf(part);
    for (const { spec } of ofKind(part, 'Service')) {
      for (const { port, targetPort } of spec.ports) expect(ports.get(targetPort)).toBe(port);
    }
    const { startupProbe, readinessProbe, livenessProbe } = containerOf(part);
    for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
      const named = probe?.httpGet?.port ?? probe?.tcpSocket?.port;
      if (named === undefined) expect([...ports.values()]).toContain(probe?.grpc?.port);
      else expect([...ports.keys()]).toContain(named);
    }
    const rules = ofKind(part, 'NetworkPolicy').flatMap(({ spec }) => spec.ingress ?? []);
    const open = rules.flatMap((rule) => rule.ports.map(({ port }) => port));
    expect(new Set(open)).toEqual(new Set(ports.values()));
  });

  it('may be reached, and reach others, only where a policy says so', () => {
    const policies = ofKind(part, 'NetworkPolicy').map(({ spec }) => spec);
    for (const { policyTypes } of policies) expect(policyTypes).toEqual(['Ingress', 'Egress']);
    const own = policies.filter(({ podSelector }) => podSelector.matchLabels !== undefined);
    expect(own.map(({ podSelector }) => podSelector.matchLabels)).toEqual([set.spec.selector.matchLabels]);
    // Redis shares the namespace of a node, and its rule that denies the rest.
    expect(policies.length - own.length).toBe(part === 'redis' ? 0 : 1);
  });
});

describe('the policies between the parts', () => {
  it.each([
    { from: 'node', to: 'nats', port: 'nodes' },
    { from: 'node', to: 'redis', port: 'redis' },
    { from: 'nats', to: 'nats', port: 'peers' },
  ])('let $from reach $to', ({ from, to, port }) => {
    const number = portsOf(to).get(port);
    const labelsOf = (part: string): Labels => setOf(part).spec.selector.matchLabels;
    const reaches = (rule: Rule, part: string): boolean =>
      rule.ports.some((one) => one.port === number) &&
      [...(rule.from ?? []), ...(rule.to ?? [])].some(
        ({ podSelector }) => JSON.stringify(podSelector?.matchLabels) === JSON.stringify(labelsOf(part)),
      );
    const rules = (part: string, way: 'egress' | 'ingress'): readonly Rule[] =>
      ofKind(part, 'NetworkPolicy').flatMap(({ spec }) => spec[way] ?? []);
    expect(rules(from, 'egress').some((rule) => reaches(rule, to))).toBe(true);
    expect(rules(to, 'ingress').some((rule) => reaches(rule, from))).toBe(true);
  });
});

describe('the node', () => {
  const { spec } = setOf('node').spec.template;

  it('runs our image with commands that there are', async () => {
    const { version } = JSON.parse(await textOf('package.json')) as { version: string };
    const pods = [...ofKind('node', 'StatefulSet'), ...ofKind('node', 'Job')].map(
      (one) => one.spec.template.spec,
    );
    const containers = pods.flatMap((pod) => [pod.initContainers ?? [], pod.containers].flat());
    for (const { image, args } of containers) {
      expect(image).toBe(`symmetra:${version}`);
      if (args !== undefined) expect(await commandFaults(args)).toEqual([]);
    }
    expect(containers.filter(({ args }) => args !== undefined)).toHaveLength(2);
  });

  it('is taken out of service when it says so, and killed only when it answers nobody', () => {
    const [{ startupProbe, readinessProbe, livenessProbe }] = spec.containers;
    expect(readinessProbe?.grpc).toEqual({ port: 7401 });
    for (const probe of [startupProbe, livenessProbe]) {
      expect(probe?.httpGet).toEqual({ path: '/metrics', port: 'metrics' });
    }
  });

  it('has longer to end than it takes', () => {
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(20);
  });
});

describe.each(EXAMPLES)('the example of %s', (name) => {
  const folder = `${FOLDER}/examples/${name}`;
  const { namespace, resources, configMapGenerator = [], images = [] } = kustomizationOf(`examples/${name}`);

  it('builds on parts that there are, of files that there are', () => {
    expect(namespace).toBe(`symmetra-${name}`);
    expect(resources.filter((path) => !isThere(`${folder}/x`, `${path}/kustomization.yaml`))).toEqual([]);
    const [generated] = configMapGenerator;
    expect(generated?.name).toBe('node');
    const absent = generated?.files.filter((file) => !isThere(`${folder}/x`, file));
    expect(absent).toEqual(UP_TO_US);
    expect(images.map((image) => image.name)).toEqual(['symmetra']);
  });

  it('has a configuration that fits the pod', async () => {
    const config = await readNodeConfig(join(root, folder, 'node.yaml'));
    expect(config.node).toBe(name);
    const ports = portsOf('node');
    expect([config.listen.port, config.metrics?.port]).toEqual([ports.get('devices'), ports.get('metrics')]);
    expect(config.metrics?.host).toBe('0.0.0.0');
    const [container] = setOf('node').spec.template.spec.containers;
    const mountOf = (path: string | undefined) =>
      container.volumeMounts.find(({ mountPath }) => path?.startsWith(`${mountPath}/`) === true);
    expect(mountOf(config.data)).toMatchObject({ name: 'data' });
    expect(mountOf(config.data)?.readOnly).toBeUndefined();
    expect(mountOf(config.network)).toMatchObject({ name: 'config', readOnly: true });
    const { store, bus } = config;
    const password = store.kind === 'redis' ? [store.passwordFile] : [];
    for (const path of [config.masterKeyFile, bus.nkeySeedFile, bus.tls?.keyFile, ...password]) {
      expect(mountOf(path), path).toMatchObject({ name: 'keys', readOnly: true });
    }
  });

  it('reaches servers that there are', async () => {
    const { bus, store } = await readNodeConfig(join(root, folder, 'node.yaml'));
    const [nats] = bus.servers.map((url) => new URL(url));
    const services = ofKind('nats', 'Service').map(({ metadata }) => metadata.name);
    const [service = '', space] = nats?.hostname.split('.') ?? [];
    expect(services).toContain(service);
    expect(space).toBe(kustomizationOf('nats').namespace);
    expect(Number(nats?.port)).toBe(portsOf('nats').get('nodes'));
    expect(bus.logReplicas).toBe(setOf('nats').spec.replicas);
    expect(resources.includes('../../redis')).toBe(store.kind === 'redis');
    if (store.kind === 'redis') {
      expect(ofKind('redis', 'Service')[0]?.metadata.name).toBe(new URL(store.url ?? '').hostname);
      expect(Number(new URL(store.url ?? '').port)).toBe(portsOf('redis').get('redis'));
    }
  });
});

describe.each(PARTS)('the kustomization of %s', (part) => {
  it('has the files of its folder; the job that runs once stands apart', () => {
    const here = parsed
      .map(({ file }) => file)
      .filter((file) => dirname(file) === join(FOLDER, part) && !isKustomization(file))
      .map((file) => file.slice(join(FOLDER, part).length + 1));
    expect([...kustomizationOf(part).resources].toSorted()).toEqual(
      here.filter((file) => file !== 'init-job.yaml'),
    );
  });
});
