import { toHex, verify } from '@symmetra/crypto';
import {
  DEFAULT_POLICY,
  EMPTY_LOG,
  decodeEvent,
  encodeEvent,
  eventHash,
  nextEvent,
  requestBytes,
  signDescriptor,
  signEvent,
  signRequest,
  signResponse,
  verifyDescriptor,
  verifyRequest,
  verifyResponse,
} from '@symmetra/protocol';
import type { ControlBody, Descriptor, LogHead } from '@symmetra/protocol';
import * as by from './by-hand.js';
import { NODE_IDS, signer, vectorNode } from './network.js';
import { NETWORK_ID, agreed, fixed } from './vector.js';
import type { Vector } from './vector.js';

const TIME_MS = 1_900_000_000_000;
const METHOD = '/symmetra.admin.v1.AdminService/ListDevices';

/** The network of the vectors. */
export const descriptor: Descriptor = {
  networkId: NETWORK_ID,
  version: 7,
  nodes: NODE_IDS.map((id) => ({
    id,
    addresses: [`${id}.example:7400`],
    kemKeys: vectorNode(id).kemKeys,
    signingKey: signer(id).publicKey,
    operator: `operator of ${id}`,
  })),
  suites: [1, 2, 3],
  threshold: 2,
  administrators: [signer('administrator').publicKey],
  administratorThreshold: 1,
};

/** CTL-1 to CTL-6: the descriptor, one event of each kind in one log, a signed request and its signed reply. */
export function controlVector(): Vector {
  return {
    'CTL-1 descriptor': descriptorVector(),
    'CTL-3 events': eventVectors(),
    'CTL-6 administrative request': requestVector(),
  };
}

function descriptorVector(): Vector {
  const root = signer('root');
  const signed = signDescriptor(descriptor, root.secretKey, root.publicKey);
  const rootKeyHash = by.sha256(root.publicKey);
  verifyDescriptor(signed, { networkId: NETWORK_ID, rootKeyHash, minimumVersion: 7 });
  const encoded = by.raw(
    by.u8(1),
    NETWORK_ID,
    by.u64(7),
    by.list(descriptor.nodes, (node) =>
      by.raw(
        by.text(node.id),
        by.list(node.addresses, by.text),
        by.list(node.kemKeys, (key) => by.raw(by.u8(key.suiteId), by.bytes(key.publicKey))),
        by.bytes(node.signingKey),
        by.text(node.operator),
      ),
    ),
    by.list(descriptor.suites, by.u8),
    by.u8(2),
    by.list(descriptor.administrators, by.bytes),
    by.u8(1),
  );
  return {
    'root signing seed': by.hex(fixed('signing seed of root', 32)),
    'administrator signing seed': by.hex(fixed('signing seed of administrator', 32)),
    'root public key': by.hex(root.publicKey),
    'root key hash': by.hex(rootKeyHash),
    descriptor: agreed('descriptor', signed.descriptor, encoded),
    signature: by.hex(signed.signature),
  };
}

interface EventCase {
  readonly name: string;
  readonly body: ControlBody;
  readonly kind: number;
  /** The body's encoding by hand. */
  readonly fields: Uint8Array;
  /** What the encoding of an earlier version lacks at its end. */
  readonly lacks?: Uint8Array;
}

const EVENTS: readonly EventCase[] = [
  {
    name: 'policy',
    body: { kind: 'policy', policy: DEFAULT_POLICY },
    kind: 1,
    fields: by.raw(policyByHand(), groupRulesByHand()),
  },
  tokenEvent(),
  {
    name: 'device-revoke',
    body: { kind: 'device-revoke', deviceId: fixed('device id of Mallory', 32), reason: 'stolen' },
    kind: 3,
    fields: by.raw(fixed('device id of Mallory', 32), by.text('stolen')),
  },
  {
    name: 'key-revoke',
    body: { kind: 'key-revoke', keyId: fixed('key id, first', 16), reason: 'rotated early' },
    kind: 4,
    fields: by.raw(fixed('key id, first', 16), by.text('rotated early')),
  },
  {
    name: 'policy of a version without groups',
    body: { kind: 'policy', policy: DEFAULT_POLICY },
    kind: 1,
    fields: policyByHand(),
    lacks: groupRulesByHand(),
  },
];

function policyByHand(): Uint8Array {
  return by.raw(
    by.list([1, 2, 3], by.u8),
    by.list(['*'], by.text),
    by.u32(30 * 24 * 3600),
    by.u32(0),
    by.u8(0),
    by.u8(0),
    by.list(['bootstrap', 'production'], by.text),
    by.list(['production'], by.text),
  );
}

function groupRulesByHand(): Uint8Array {
  return by.raw(by.u32(10_000), by.u32(10));
}

function tokenEvent(): EventCase {
  const tokenId = fixed('token id of the event', 16);
  const secrets = NODE_IDS.map((nodeId) => ({
    nodeId,
    ciphertext: fixed(`ciphertext for ${nodeId}`, 48),
    sealed: fixed(`sealed for ${nodeId}`, 48),
  }));
  return {
    name: 'token-create',
    body: {
      kind: 'token-create',
      tokenId,
      account: 'household',
      uses: 2,
      expiresMs: TIME_MS + 3_600_000,
      tags: [{ key: 'room', value: 'kitchen' }],
      secrets,
    },
    kind: 2,
    fields: by.raw(
      tokenId,
      by.text('household'),
      by.u32(2),
      by.u64(TIME_MS + 3_600_000),
      by.list([['room', 'kitchen']], ([key = '', value = '']) => by.raw(by.text(key), by.text(value))),
      by.list(secrets, ({ nodeId, ciphertext, sealed }) =>
        by.raw(by.text(nodeId), by.bytes(ciphertext), by.bytes(sealed)),
      ),
    ),
  };
}

function eventVectors(): Vector {
  const administrator = signer('administrator');
  let head: LogHead = EMPTY_LOG;
  const vectors = EVENTS.map(({ name, body, kind, fields, lacks }, i) => {
    const event = {
      networkId: NETWORK_ID,
      number: i + 1,
      previousHash: head.hash,
      timeMs: TIME_MS + i,
      body,
    };
    const byHand = by.raw(
      by.u8(1),
      NETWORK_ID,
      by.u64(i + 1),
      head.hash,
      by.u64(TIME_MS + i),
      by.u8(kind),
      fields,
    );
    agreed(`event ${i + 1}`, encodeEvent(event), by.raw(byHand, lacks ?? by.raw()));
    agreed(`event ${i + 1} as it is read`, encodeEvent(decodeEvent(byHand)), encodeEvent(event));
    const signature = signEvent(byHand, administrator.secretKey, administrator.publicKey);
    const next = nextEvent(descriptor, head, () => undefined, { event: byHand, signatures: [signature] });
    if (next.kind !== 'next') throw new Error('the event is the next one');
    const hash = by.sha256(by.text('symmetra/1 control event-hash'), by.bytes(byHand));
    head = next.head;
    return [
      `event ${i + 1}, ${name}`,
      {
        event: by.hex(byHand),
        hash: agreed(`hash of event ${i + 1}`, eventHash(byHand), hash),
        administrator: agreed('administrator', signature.administrator, by.sha256(administrator.publicKey)),
        signature: by.hex(signature.signature),
      },
    ] as const;
  });
  return Object.fromEntries(vectors);
}

function requestVector(): Vector {
  const administrator = signer('administrator');
  const node = signer(NODE_IDS[0]);
  const request = {
    node: NODE_IDS[0],
    body: by.utf8('the request'),
    nonce: fixed('request nonce', 32),
    timeMs: TIME_MS,
  };
  const signed = signRequest(NETWORK_ID, METHOD, request, administrator.secretKey, administrator.publicKey);
  verifyRequest(descriptor, NODE_IDS[0], METHOD, signed, TIME_MS);
  const covered = by.raw(
    by.u8(1),
    NETWORK_ID,
    by.text(request.node),
    by.text(METHOD),
    by.sha256(request.body),
    request.nonce,
    by.u64(TIME_MS),
  );
  const reply = by.utf8('the reply');
  const signature = signResponse(covered, reply, node.secretKey);
  verifyResponse(covered, reply, signature, node.publicKey);
  const replyCovered = by.raw(by.u8(1), by.sha256(covered), by.sha256(reply));
  if (!verify(signature, replyCovered, node.publicKey, 'adminResponseSign')) {
    throw new Error('the signature of the reply covers something else');
  }
  return {
    node: request.node,
    method: METHOD,
    body: toHex(request.body),
    nonce: by.hex(request.nonce),
    timeMs: TIME_MS,
    'signed bytes': agreed('signed bytes', requestBytes(NETWORK_ID, METHOD, request), covered),
    administrator: by.hex(signed.administrator),
    signature: by.hex(signed.signature),
    'reply body': by.hex(reply),
    'signed bytes of the reply': by.hex(replyCovered),
    'signature of the reply': by.hex(signature),
  };
}
