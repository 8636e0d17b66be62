import { Secret } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import { DEFAULT_POLICY, beginChain, beginNodeChain, grantStage } from '@symmetra/protocol';
import type { DeviceChain, NodeChain, ProtocolContext, StepRules } from '@symmetra/protocol';
import type { Prng } from '@symmetra/testing';
import { nodeIdentity } from './node-identity.js';

/** The stages of the simulated workflow, first to last. */
export const STAGES = ['bootstrap', 'staging', 'production'] as const;

const POLICY = { ...DEFAULT_POLICY, stages: STAGES };

/** The two ends of one chain. */
export interface BothEnds {
  readonly device: DeviceChain;
  readonly node: NodeChain;
}

/** Both ends of a chain in epoch 0, as an enrolment leaves them. */
export function bothEnds(context: ProtocolContext, suite: Suite, nodeId: string, prng: Prng): BothEnds {
  const deviceId = prng.bytes(32);
  const transcriptHash = prng.bytes(suite.hashLength);
  const bootstrapKey = prng.bytes(suite.hashLength);
  const key = (): Secret<'BootstrapKey'> => Secret.of('BootstrapKey', bootstrapKey.slice());
  const device = beginChain(
    context,
    {
      kind: 'enrolled',
      suiteId: suite.id,
      parties: { deviceId, nodeId, nodeKeyHash: nodeIdentity(suite, nodeId).nodeKeyHash },
      account: 'simulated account',
      bootstrapKey: key(),
      transcriptHash,
    },
    STAGES[0],
  );
  const enrolled = { deviceId, suiteId: suite.id, name: 'alice', bootstrapKey: key(), transcriptHash };
  const node = beginNodeChain(context, nodeId, enrolled, STAGES[0]);
  return { device: device.state, node: node.state };
}

/** How the simulated node decides a step. */
export function stepRules(suite: Suite, nodeId: string): StepRules {
  return {
    kemKeys: nodeIdentity(suite, nodeId).kemKeys,
    allowedSuites: [suite.id],
    grantStage: (present, asked) => grantStage(POLICY, present, asked),
  };
}
