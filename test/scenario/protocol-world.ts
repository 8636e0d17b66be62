import { Secret, SymmetraError, suites } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import {
  DEFAULT_POLICY,
  beginChain,
  beginNodeChain,
  deviceIdOf,
  grantStage,
  nodeKeyHash,
  nodeTokenSecret,
  receiveR1,
  receiveR2,
  receiveR3,
  receiveR4,
  startStep,
  tokenIdOf,
} from '@symmetra/protocol';
import type {
  ChainConfirming,
  DeviceChain,
  EnrolmentNode,
  EnrolmentStart,
  NodeChain,
  ProtocolContext,
  R2Random,
  StepRandom,
  StepRules,
  TokenRecord,
} from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';

/** The suites that every flow is tested with. */
export const SUITES: readonly Suite[] = suites.ids().map((id) => suites.get(id));

export const NETWORK_ID = new Prng('scenario network').bytes(16);
export const CONTEXT: ProtocolContext = { networkId: NETWORK_ID, suites };
export const HOUR_MS = 3_600_000;

/** The code of the error that an action is refused with; `done` when it is not refused. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SymmetraError) return error.code;
    throw error;
  }
  return 'done';
}

/** A copy with one bit changed: in the last byte, or in the byte at `at`. */
export function flipped(bytes: Uint8Array, at = bytes.length - 1): Uint8Array {
  const changed = bytes.slice();
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}

/** A node with one static key per suite. */
export interface ScenarioNode {
  readonly nodeId: string;
  readonly kemKeys: EnrolmentNode['kemKeys'];
  readonly keyHash: Uint8Array;
  /** The seed of its static key of a suite. */
  seed(suite: Suite): Uint8Array;
}

function node(nodeId: string): ScenarioNode {
  const seed = (suite: Suite): Uint8Array => new Prng(`${nodeId}/${suite.id}`).bytes(suite.kem.seedLength);
  const pairs = SUITES.map((suite) => [suite.id, suite.kem.keygen(seed(suite))] as const);
  return {
    nodeId,
    kemKeys: new Map(
      pairs.map(([id, { publicKey, secretKey }]) => [
        id,
        { publicKey, secretKey: Secret.of('NodeKemKey', secretKey) },
      ]),
    ),
    keyHash: nodeKeyHash({ kemKeys: pairs.map(([suiteId, { publicKey }]) => ({ suiteId, publicKey })) }),
    seed,
  };
}

export const AMSTERDAM = node('amsterdam');
export const BERN = node('bern');

export function publicKeyOf({ kemKeys }: ScenarioNode, suiteId: number): Uint8Array {
  return kemKeys.get(suiteId)?.publicKey ?? new Uint8Array(0);
}

/** The token that Alice was given. */
export const tokenSecret = (): Secret<'TokenSecret'> =>
  Secret.of('TokenSecret', new Prng('scenario token').bytes(32));
export const TOKEN_ID = tokenIdOf(NETWORK_ID, tokenSecret());

/** What a node keeps of the token before anybody used it. */
export function freshRecord(at: ScenarioNode, uses = 1): TokenRecord {
  return {
    tokenId: TOKEN_ID,
    account: 'household',
    uses,
    expiresMs: HOUR_MS,
    token: nodeTokenSecret(NETWORK_ID, tokenSecret(), at.nodeId, at.keyHash),
    claims: [],
  };
}

/** The rules of a node while devices enrol. */
export function enrolmentRules(at: ScenarioNode): EnrolmentNode {
  return {
    nodeId: at.nodeId,
    nodeKeyHash: at.keyHash,
    kemKeys: at.kemKeys,
    allowedSuites: [1, 2, 3],
    descriptorVersion: 4,
    reservationMs: 60_000,
  };
}

/** What a device knows before it enrols; `name` decides its random numbers. */
export function enrolmentStart(at: ScenarioNode, suite: Suite, name: string): EnrolmentStart {
  return {
    suiteId: suite.id,
    tokenId: TOKEN_ID,
    token: nodeTokenSecret(NETWORK_ID, tokenSecret(), at.nodeId, at.keyHash),
    enrolmentNonce: new Prng(`n_E of ${name}`).bytes(32),
    nodeId: at.nodeId,
    nodeKeyHash: at.keyHash,
    nodeKemKey: publicKeyOf(at, suite.id),
    descriptorVersion: 4,
    name,
  };
}

/** Fresh bytes for a KEM, from a name. */
export function kemRandom(suite: Suite, name: string): { seed: Uint8Array; coins: Uint8Array } {
  const prng = new Prng(name);
  return { seed: prng.bytes(suite.kem.seedLength), coins: prng.bytes(suite.kem.coinsLength) };
}

/** Both ends of a chain. */
export interface Ends {
  readonly device: DeviceChain;
  readonly node: NodeChain;
}

/** Alice's chain with Amsterdam in epoch 0, as an enrolment leaves it. */
export function newChain(suite: Suite, name = 'alice'): Ends {
  const prng = new Prng(`chain of ${name}, suite ${suite.id}`);
  const deviceId = deviceIdOf(TOKEN_ID, prng.bytes(32));
  const secret = prng.bytes(suite.hashLength);
  const transcriptHash = prng.bytes(suite.hashLength);
  const key = (): Secret<'BootstrapKey'> => Secret.of('BootstrapKey', secret.slice());
  const parties = { deviceId, nodeId: AMSTERDAM.nodeId, nodeKeyHash: AMSTERDAM.keyHash };
  const device = beginChain(
    CONTEXT,
    {
      kind: 'enrolled',
      suiteId: suite.id,
      parties,
      account: 'household',
      bootstrapKey: key(),
      transcriptHash,
    },
    'bootstrap',
  );
  const enrolled = { deviceId, suiteId: suite.id, name, bootstrapKey: key(), transcriptHash };
  const atNode = beginNodeChain(CONTEXT, AMSTERDAM.nodeId, enrolled, 'bootstrap');
  return { device: device.state, node: atNode.state };
}

/** How Amsterdam decides a step. */
export const STEP_RULES: StepRules = {
  kemKeys: AMSTERDAM.kemKeys,
  allowedSuites: [1, 2, 3],
  grantStage: (present, asked) => grantStage(DEFAULT_POLICY, present, asked),
};

export function stepRequest(suite: Suite, stage = 'production') {
  return { suiteId: suite.id, stage, nodeKemKey: publicKeyOf(AMSTERDAM, suite.id) };
}

export function stepRandom(suite: Suite, name: string): StepRandom {
  const prng = new Prng(`step ${name}`);
  return { ...kemRandom(suite, `step KEM ${name}`), nonce: prng.bytes(32), codeNonce: prng.bytes(32) };
}

export function r2Random(suite: Suite, name: string): R2Random {
  const prng = new Prng(`R2 ${name}`);
  return {
    nonce: prng.bytes(32),
    coins: prng.bytes(suite.kem.coinsLength),
    entropy: prng.bytes(32),
    codeNonce: prng.bytes(32),
  };
}

/** A step of which the device has R2 and the node not yet R3. */
export interface HalfStep {
  readonly r1: Uint8Array;
  readonly r2: Uint8Array;
  readonly r3: Uint8Array;
  readonly device: ChainConfirming;
  readonly node: NodeChain;
}

/** ATK-2 to ATK-5 without a fault. */
export function halfStep(
  { device, node: atNode }: Ends,
  suite: Suite,
  name: string,
  stage = 'production',
): HalfStep {
  const started = startStep(CONTEXT, device, stepRequest(suite, stage), stepRandom(suite, name));
  const answered = receiveR1(CONTEXT, atNode, STEP_RULES, started.output, r2Random(suite, name));
  if (answered.output.kind !== 'r2') throw new Error('R1 gets R2');
  const confirming = receiveR2(CONTEXT, started.state, answered.output.r2);
  return {
    r1: started.output,
    r2: answered.output.r2,
    r3: confirming.output,
    device: confirming.state,
    node: answered.state,
  };
}

/** A whole step without a fault. */
export function fullStep(ends: Ends, suite: Suite, name: string, stage = 'production'): Ends {
  const half = halfStep(ends, suite, name, stage);
  const committed = receiveR3(CONTEXT, half.node, half.r3);
  return { device: receiveR4(half.device, committed.output).state, node: committed.state };
}

/** The secret bytes of an epoch, to compare two ends with. */
export function epochBytes({ keys }: Pick<NodeChain, 'keys'>): readonly Uint8Array[] {
  return [keys.ratchetKey.bytes, keys.chainKey.bytes, keys.evidenceKey.bytes];
}
