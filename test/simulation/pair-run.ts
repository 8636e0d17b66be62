import { equalConstantTime, labelBytes, toHex } from '@symmetra/crypto';
import type { Suite } from '@symmetra/crypto';
import type { InitiatorContinuity, KeyMaterial, PairRequested, ProtocolContext } from '@symmetra/protocol';
import { SecretLedger, Simulation } from '@symmetra/testing';
import type { SimulatedDisk } from '@symmetra/testing';
import { NODE_IDS, watchedContext } from './node-identity.js';
import { pairDevice } from './pair-device.js';
import type { InRow, OutRow, PairGoal } from './pair-rows.js';
import { pairNode } from './pair-node.js';
import type { Malice } from './pair-node.js';
import type { Run } from './seeds.js';

export const MALICE: readonly Malice[] = ['other share', 'other header', 'higher limits', 'silent'];

/** What one run of two devices and three nodes is about. */
export interface PairPlan {
  readonly goals: Readonly<Record<'alice' | 'bob', PairGoal>>;
  readonly stormy: number;
  /** What node 3 does, when it is malicious. */
  readonly malice?: Malice;
  /** Whether Alice is restored from a backup on the way. */
  readonly backup: boolean;
}

const FAIR_TICKS = 1500;
/** Enough for everything that a restored device left half done to expire. */
const AFTERMATH_TICKS = 900;
const DEVICES = ['alice', 'bob'] as const;

export class PairRun {
  readonly #run: Run;
  readonly #simulation: Simulation;
  readonly #plan: PairPlan;
  readonly #ledger = new SecretLedger();
  readonly #keys = new Map<string, string>();
  readonly #thefts: { readonly disk: SimulatedDisk; readonly allowed: ReadonlySet<string> }[] = [];

  constructor(run: Run, draw: (simulation: Simulation) => PairPlan) {
    this.#run = run;
    this.#simulation = new Simulation(run.seed, run.occurrences);
    this.#plan = draw(this.#simulation);
  }

  execute(): void {
    const context = watchedContext(this.#noticingPrk(this.#run.suite));
    this.#simulation.observe((party, entry, before, after) => this.#note(party, entry, before, after));
    for (const nodeId of NODE_IDS) {
      const malice = nodeId === NODE_IDS[2] ? this.#plan.malice : undefined;
      this.#simulation.spawn(nodeId, pairNode(context, this.#run.suite.id, malice));
    }
    for (const name of DEVICES) this.#spawnDevice(context, name);
    for (const name of DEVICES) this.#scheduleTheft(name);
    if (this.#plan.backup) this.#restored();
    else this.#simulation.run({ stormy: this.#plan.stormy, fair: FAIR_TICKS });
    this.#checkKeys();
    this.#oneMore();
    this.#checkKeys();
    this.#checkErased();
    if (this.#plan.malice) this.#run.occurrences.note(`outcome:complete in spite of ${this.#plan.malice}`);
  }

  /** PAIR-7: PRK, and the key that it is expanded from: the HMAC whose key is their label. They must never be stored. */
  #noticingPrk(suite: Suite): Suite {
    let extracted: Uint8Array | undefined;
    return {
      ...suite,
      mac: (key, ...parts) => {
        const isExtract = equalConstantTime(key, labelBytes('pairPrk'));
        const isPrk = extracted !== undefined && equalConstantTime(key, extracted);
        const out = suite.mac(key, ...parts);
        if (isExtract || isPrk) this.#ledger.rememberBytes('prk', out);
        extracted = isExtract ? out.slice() : undefined;
        return out;
      },
    };
  }

  #spawnDevice(context: ProtocolContext, name: 'alice' | 'bob'): void {
    const peer = name === 'alice' ? 'bob' : 'alice';
    const witness = {
      note: (what: string) => this.#run.occurrences.note(what),
      refused: (state: PairRequested, code: string, held: InitiatorContinuity) =>
        this.#noteRefusal(state, code, held),
    };
    this.#simulation.spawn(name, pairDevice(context, this.#run.suite, peer, this.#plan.goals[name], witness));
  }

  /**
   * Continuity: a negotiation that offered a secret is never refused for want of one, unless a state went back; one that
   * offered none is, when it began before the first one was confirmed.
   */
  #noteRefusal(state: PairRequested, code: string, held: InitiatorContinuity): void {
    this.#run.occurrences.note(`initiator:refused ${code}`);
    if (this.#plan.backup) return;
    if (code !== 'CONTINUITY_REQUIRED') throw new Error(`a negotiation was refused with ${code}`);
    if (state.offered.length > 0) throw new Error('the two devices found no common continuity secret');
    if (held.newest === undefined) throw new Error('continuity was asked of a device that has none');
  }

  /** Alice goes back to an old state. What is asked then may be refused; when both forget each other, it works again. */
  #restored(): void {
    const { prng } = this.#simulation;
    this.#simulation.advance(prng.below(this.#plan.stormy));
    const copy = this.#simulation.process('alice').disk.copy();
    this.#simulation.advance(prng.below(this.#plan.stormy));
    this.#simulation.restart('alice', copy);
    this.#simulation.advance(prng.below(this.#plan.stormy));
    this.#simulation.calm();
    this.#simulation.advance(AFTERMATH_TICKS);
    for (const name of DEVICES) this.#forgetPeer(name);
    this.#simulation.finish(FAIR_TICKS);
    this.#run.occurrences.note('outcome:restored, forgotten, complete');
  }

  /** What the user of a device does: the peer is a stranger again, and what is under way with it is dropped. */
  #forgetPeer(name: string): void {
    const process = this.#simulation.process(name);
    process.stop();
    const open = process.disk.names().filter((entry) => entry === 'peer' || entry.startsWith('out/'));
    process.disk.write(Object.fromEntries(open.map((entry) => [entry, undefined])));
    this.#simulation.restart(name);
  }

  /** In both directions another negotiation completes. */
  #oneMore(): void {
    for (const name of DEVICES) this.#plan.goals[name].complete += 1;
    this.#simulation.finish(FAIR_TICKS);
    this.#run.occurrences.note('outcome:the next attempt completes');
  }

  #note(party: string, entry: string, before: object | undefined, after: object | undefined): void {
    if (entry.startsWith('out/')) {
      this.#noteRow('initiator', before as OutRow | undefined, after as OutRow | undefined);
      const state = (after as OutRow | undefined)?.state;
      if (state?.kind === 'requested') {
        const { split, shares, direct } = state;
        this.#ledger.remember(entry, { split, shares, direct });
      } else if (state !== undefined) this.#noteKey(party, state.key);
    } else if (entry.startsWith('in/')) {
      this.#noteRow('responder', before as InRow | undefined, after as InRow | undefined);
      const state = (after as InRow | undefined)?.state;
      if (state !== undefined && state.kind !== 'refused') this.#noteKey(party, state.key);
    }
  }

  #noteRow(role: string, before: OutRow | InRow | undefined, after: OutRow | InRow | undefined): void {
    if (after === undefined) return;
    const from = before ? `${before.state.kind}>` : '';
    this.#run.occurrences.note(`${role}:${from}${after.state.kind}`);
    const key = 'key' in after.state ? after.state.key : undefined;
    if (key) this.#run.occurrences.note(`key:${key.directKem ? 'direct' : 'no direct'} KEM`);
    if (key) this.#run.occurrences.note(`key:${key.continued ? 'continued' : 'first contact'}`);
    if (key) this.#run.occurrences.note(`key:from ${key.nodes.length} nodes`);
  }

  /** Never two different keys for one key id, not even half-confirmed ones, unless a state went back. */
  #noteKey(party: string, key: KeyMaterial): void {
    const id = toHex(key.keyId);
    const value = `${toHex(key.applicationKey.bytes)} ${toHex(key.tlsKey.bytes)} ${toHex(key.fingerprint)}`;
    const known = this.#keys.get(id);
    if (known !== undefined && known !== value && !this.#plan.backup) {
      throw new Error(`${party} has another key for the key id ${id}`);
    }
    this.#keys.set(id, value);
  }

  /** Both ends have the same key, or neither has one. */
  #checkKeys(): void {
    for (const [initiator, responder] of [DEVICES, DEVICES.toReversed()] as const) {
      const own = this.#finished(initiator, 'out/');
      const other = this.#finished(responder, 'in/');
      if (this.#plan.backup) continue;
      const different = [...new Set([...own.keys(), ...other.keys()])].filter(
        (id) => own.get(id) !== other.get(id),
      );
      if (different.length > 0) throw new Error(`the ends disagree about ${different.join(', ')}`);
      if (own.size < this.#plan.goals[initiator as 'alice'].complete) throw new Error('too few keys');
    }
  }

  /** Everything about the finished keys of one side that both sides must agree on. */
  #finished(name: string, prefix: 'out/' | 'in/'): ReadonlyMap<string, string> {
    const process = this.#simulation.process(name);
    const states = process.names(prefix).map((entry) => process.get<OutRow | InRow>(entry)?.state);
    const keys = states.flatMap((state) =>
      state?.kind === 'finished' || state?.kind === 'held' ? [state.key] : [],
    );
    return new Map(keys.map((key) => [toHex(key.keyId), JSON.stringify(comparable(key))]));
  }

  #scheduleTheft(name: string): void {
    const { prng } = this.#simulation;
    this.#simulation.after(prng.between(1, this.#plan.stormy), () => {
      const disk = this.#simulation.process(name).disk.copy();
      const requested = disk
        .names()
        .filter((entry) => entry.startsWith('out/'))
        .filter((entry) => (disk.read(entry) as OutRow).state.kind === 'requested');
      this.#thefts.push({ disk, allowed: new Set(requested) });
    });
  }

  /**
   * A stolen disk of a device holds the secrets of the requests of its moment and of no other, and PRK never. When
   * everything is over no disk, of a device or a node, holds any of them.
   */
  #checkErased(): void {
    const parties = [...DEVICES, ...NODE_IDS].map((name) => this.#simulation.process(name));
    const now = parties.map(({ disk }) => ({ disk, allowed: new Set<string>() }));
    for (const { disk, allowed } of [...this.#thefts, ...now]) {
      const found = [...this.#ledger.exposed(disk)].filter((group) => !allowed.has(group));
      if (found.length > 0) throw new Error(`a disk lays open the secrets of ${found.join(', ')}`);
    }
  }
}

function comparable(key: KeyMaterial): object {
  const { applicationKey, tlsKey, keyId, fingerprint, initiator, responder, ...open } = key;
  const bytes = [keyId, fingerprint, initiator, responder, applicationKey.bytes, tlsKey.bytes];
  return { ...open, bytes: bytes.map(toHex) };
}
