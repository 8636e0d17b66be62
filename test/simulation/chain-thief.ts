import { toHex } from '@symmetra/crypto';
import type { DeviceChain, EpochKeys, NodeChain } from '@symmetra/protocol';
import { SecretLedger } from '@symmetra/testing';
import type { Occurrences, SimulatedDisk } from '@symmetra/testing';

/** A stolen disk, and what the design lets a thief find there. */
interface Theft {
  readonly disk: SimulatedDisk;
  readonly allowed: ReadonlySet<string>;
}

/**
 * Copies disks at any tick. When the run is over and every key that ever existed is known, each copy is searched: it
 * must lay open the epochs of its moment and no earlier or later one, of the session chain the place of its moment and
 * no earlier one, and of a step that is over nothing.
 */
export class ChainThief {
  readonly #ledger = new SecretLedger();
  readonly #thefts: Theft[] = [];
  readonly #occurrences: Occurrences;

  constructor(occurrences: Occurrences) {
    this.#occurrences = occurrences;
  }

  /** Takes note of the secrets of a state that is being persisted. */
  learn(chain: DeviceChain | NodeChain): void {
    for (const keys of epochsOf(chain)) {
      this.#ledger.remember(`${epochName(keys)} ratchet`, keys.ratchetKey);
      this.#ledger.remember(evidenceName(keys), keys.evidenceKey);
      this.#ledger.remember(`${epochName(keys)} chain ${keys.counter}`, keys.chainKey);
    }
    const step = stepOf(chain);
    if (step) this.#ledger.remember(step.name, step.secrets);
  }

  copy(party: 'device' | 'node', disk: SimulatedDisk, chain: DeviceChain | NodeChain | undefined): void {
    if (chain === undefined) return;
    this.#thefts.push({ disk: disk.copy(), allowed: allowedOf(chain) });
    this.#occurrences.note(
      `theft:${party}:${'kind' in chain ? chain.kind : chain.pending ? 'pending' : 'current'}`,
    );
  }

  judge(): void {
    for (const { disk, allowed } of this.#thefts) {
      const found = [...this.#ledger.exposed(disk)].filter((group) => !allowed.has(group));
      if (found.length > 0) throw new Error(`a stolen disk lays open: ${found.join(', ')}`);
    }
  }
}

/** The epochs that a state holds with all their keys. */
function epochsOf(chain: DeviceChain | NodeChain): readonly EpochKeys[] {
  if (!('kind' in chain)) return chain.pending ? [chain.keys, chain.pending.keys] : [chain.keys];
  return chain.kind === 'confirming' || chain.kind === 'restepping'
    ? [chain.keys, chain.next.keys]
    : [chain.keys];
}

function stepOf(
  chain: DeviceChain | NodeChain,
): { readonly name: string; readonly secrets: object } | undefined {
  if (!('kind' in chain) || (chain.kind !== 'stepping' && chain.kind !== 'restepping')) return undefined;
  const { nonce, staticSecret, ephemeralKey } = chain.step;
  return { name: `step ${toHex(nonce).slice(0, 12)}`, secrets: { staticSecret, ephemeralKey } };
}

function allowedOf(chain: DeviceChain | NodeChain): ReadonlySet<string> {
  const own = epochsOf(chain).flatMap((keys) => [
    `${epochName(keys)} ratchet`,
    evidenceName(keys),
    `${epochName(keys)} chain ${keys.counter}`,
  ]);
  const step = stepOf(chain);
  const left = 'kind' in chain ? undefined : chain.previous;
  return new Set([...own, ...(step ? [step.name] : []), ...(left ? [evidenceName(left)] : [])]);
}

/** Which epoch a key set is: its number, and a part of its ratchet key, since a step may be tried more than once. */
function epochName(keys: EpochKeys): string {
  return `${keys.epoch}.${toHex(keys.ratchetKey.bytes).slice(0, 12)}`;
}

/** The evidence key of an epoch, which the node keeps one epoch longer than the rest. */
function evidenceName({ epoch, evidenceKey }: Pick<EpochKeys, 'epoch' | 'evidenceKey'>): string {
  return `${epoch} evidence ${toHex(evidenceKey.bytes).slice(0, 12)}`;
}
