import { newestKeys } from '@symmetra/protocol';
import type { Descriptors } from '../network/descriptors.js';
import type { Policies } from '../network/policies.js';
import type { Chains } from './chains.js';

/** What a device's stages depend on. */
export interface StageParts {
  readonly chains: Chains;
  readonly policies: Pick<Policies, 'current'>;
  readonly descriptors: Pick<Descriptors, 'current' | 'isKnown'>;
}

/** The latest stage, in the order of policy, that at least k nodes have granted; earlier ones count as granted too. */
export function stageOf({ chains, policies, descriptors }: StageParts): string {
  const { stages } = policies.current;
  const places = chains
    .nodes()
    .map((nodeId) => stages.indexOf(newestKeys(chains.get(nodeId)).stage))
    .toSorted((a, b) => b - a);
  const place = descriptors.isKnown ? places[descriptors.current.threshold - 1] : undefined;
  return stages[place ?? -1] ?? '';
}

/**
 * ENR-12: what the next step at a node asks for: the stage after its present one while k nodes have granted a later one,
 * else the present one.
 */
export function nextStage(parts: StageParts, nodeId: string): string {
  const { stages } = parts.policies.current;
  const present = newestKeys(parts.chains.get(nodeId)).stage;
  const place = stages.indexOf(present);
  const isBehind = place !== -1 && place < stages.indexOf(stageOf(parts));
  return isBehind ? (stages[place + 1] as string) : present;
}
