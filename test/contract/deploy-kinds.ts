import { choice, flag, list, map, one, record, text, whole } from './deploy-shape.js';
import type { Shape } from './deploy-shape.js';

/*
 * The kinds of Kubernetes that the manifests use, as its API reference (1.30) has them. Fields of the API that no
 * manifest uses are unknown here, so that a misspelt one is found. What the restricted Pod Security Standard demands
 * is not optional.
 */

const name = text(/^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/);
const labels = map(text(/^[A-Za-z0-9][-\w.]*$/));
const metadata = record({ name, 'labels?': labels });
const selector = record({ matchLabels: labels });
const cpu = text(/^\d+m$/);
const size = text(/^\d+[MG]i$/);
const portName = text(/^(?=.{1,15}$)[a-z][a-z0-9-]*$/);
const port = whole(1, 65_535);

/** What runs without a privilege. */
const confined = record({
  allowPrivilegeEscalation: one(false),
  readOnlyRootFilesystem: one(true),
  capabilities: record({ drop: list(one('ALL')) }),
});
const podSecurity = record({
  runAsNonRoot: one(true),
  runAsUser: whole(1000),
  runAsGroup: whole(1000),
  fsGroup: whole(1000),
  'fsGroupChangePolicy?': one('OnRootMismatch'),
  seccompProfile: record({ type: one('RuntimeDefault') }),
});

const probeTimes = { 'periodSeconds?': whole(1), 'timeoutSeconds?': whole(1), 'failureThreshold?': whole(1) };
const probe: Shape = (value, path) => {
  const { periodSeconds, timeoutSeconds, failureThreshold, ...handler } = value as Record<string, unknown>;
  const times = { periodSeconds, timeoutSeconds, failureThreshold };
  const given = Object.fromEntries(Object.entries(times).filter(([, time]) => time !== undefined));
  return [
    ...record(probeTimes)(given, path),
    ...choice({
      // A gRPC probe takes a number only.
      grpc: record({ port, 'service?': text() }),
      httpGet: record({ path: text(/^\//), port: portName }),
      tcpSocket: record({ port: portName }),
    })(handler, path),
  ];
};

const parts = {
  name,
  image: text(/^[a-z]+:\d+\.\d+\.\d+(?:-[a-z]+)?$/),
  'command?': list(text()),
  'args?': list(text()),
  'env?': list(
    record({ name: text(/^[A-Z_]+$/), valueFrom: record({ fieldRef: record({ fieldPath: text() }) }) }),
  ),
  securityContext: confined,
  resources: record({ requests: record({ cpu, memory: size }), limits: record({ memory: size }) }),
  volumeMounts: list(record({ name, mountPath: text(/^\//), 'readOnly?': flag })),
};
const container = record({
  ...parts,
  'ports?': list(record({ name: portName, containerPort: port })),
  'startupProbe?': probe,
  'readinessProbe?': probe,
  'livenessProbe?': probe,
});

const volume: Shape = (value, path) => {
  const { name: own, ...source } = value as Record<string, unknown>;
  return [
    ...name(own, `${path}.name`),
    ...choice({
      configMap: record({ name }),
      secret: record({ secretName: name, defaultMode: one(0o440, 0o400) }),
      emptyDir: record({ medium: one('Memory'), sizeLimit: size }),
      persistentVolumeClaim: record({ claimName: name }),
    })(source, path),
  ];
};

const pod = record({
  'restartPolicy?': one('Never'),
  automountServiceAccountToken: one(false),
  enableServiceLinks: one(false),
  'terminationGracePeriodSeconds?': whole(1),
  securityContext: podSecurity,
  'topologySpreadConstraints?': list(
    record({
      maxSkew: whole(1),
      topologyKey: text(),
      whenUnsatisfiable: one('DoNotSchedule', 'ScheduleAnyway'),
      labelSelector: selector,
    }),
  ),
  'initContainers?': list(record(parts)),
  containers: list(container),
  volumes: list(volume),
});
const template = record({ metadata: record({ labels }), spec: pod });
const claim = record({
  accessModes: list(one('ReadWriteOncePod')),
  resources: record({ requests: record({ storage: size }) }),
});

const policyPort = list(record({ protocol: one('TCP', 'UDP'), port }));
const policyPeer = list(record({ 'namespaceSelector?': maybeAll(), 'podSelector?': selector }));

/** A selector, or an empty one, which selects everything. */
function maybeAll(): Shape {
  return (value, path) => (JSON.stringify(value) === '{}' ? [] : selector(value, path));
}

const kinds: Readonly<Record<string, Shape>> = {
  'apps/v1 StatefulSet': record({
    serviceName: name,
    replicas: whole(1),
    'podManagementPolicy?': one('Parallel'),
    selector,
    template,
    volumeClaimTemplates: list(record({ metadata, spec: claim })),
  }),
  'batch/v1 Job': record({ backoffLimit: whole(), template }),
  'v1 PersistentVolumeClaim': claim,
  'v1 Service': record({
    'type?': one('LoadBalancer'),
    'externalTrafficPolicy?': one('Local'),
    'clusterIP?': one('None'),
    'publishNotReadyAddresses?': one(true),
    selector: labels,
    ports: list(
      record({ name: portName, port, targetPort: portName, protocol: one('TCP'), 'appProtocol?': text() }),
    ),
  }),
  'policy/v1 PodDisruptionBudget': record({
    'minAvailable?': whole(1),
    'maxUnavailable?': whole(1),
    'unhealthyPodEvictionPolicy?': one('AlwaysAllow'),
    selector,
  }),
  'networking.k8s.io/v1 NetworkPolicy': record({
    podSelector: maybeAll(),
    policyTypes: list(one('Ingress', 'Egress')),
    'ingress?': list(record({ 'from?': policyPeer, ports: policyPort })),
    'egress?': list(record({ to: policyPeer, ports: policyPort })),
  }),
};

/** A manifest of one of the kinds that are used. */
export const manifest: Shape = (value, path) => {
  const { apiVersion, kind } = value as { readonly apiVersion?: string; readonly kind?: string };
  const spec = kinds[`${apiVersion} ${kind}`];
  if (spec === undefined) return [`${path}: no kind ${apiVersion} ${kind} is used`];
  return record({ apiVersion: one(apiVersion), kind: one(kind), metadata, spec })(value, path);
};

/** A kustomization.yaml. */
export const kustomization: Shape = record({
  apiVersion: one('kustomize.config.k8s.io/v1beta1'),
  kind: one('Kustomization'),
  'namespace?': name,
  resources: list(text()),
  'replicas?': list(record({ name, count: whole(1) })),
  'configMapGenerator?': list(record({ name, files: list(text()) })),
  'generatorOptions?': record({ disableNameSuffixHash: one(true) }),
  'images?': list(record({ name, newName: text(), newTag: text(/^\d+\.\d+\.\d+$/) })),
});
