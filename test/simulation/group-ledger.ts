import { toHex } from '@symmetra/crypto';
import type { GroupHeader, HeldEpoch } from '@symmetra/protocol';

/** An epoch that somebody dealt: its header, and who is in it. */
export interface DealtEpoch {
  readonly header: GroupHeader;
  readonly members: ReadonlySet<string>;
}

/** Remembers what a run must never see twice, or in another form. */
export class GroupLedger {
  /** By epoch id. */
  readonly dealt = new Map<string, DealtEpoch>();
  readonly #keys = new Map<string, string>();
  readonly #echoes = new Map<string, string>();
  readonly #taken = new Set<string>();

  /** GRP-5: one deal for one epoch number. @throws for an honest node that echoed another one */
  echoed(node: string, epoch: number, dealHash: Uint8Array): void {
    const name = `${node}/${epoch}`;
    const known = this.#echoes.get(name);
    const value = toHex(dealHash);
    if (known !== undefined && known !== value) throw new Error(`${node} echoed two deals of epoch ${epoch}`);
    this.#echoes.set(name, value);
  }

  /** A device accepts an epoch. @throws when it is not in it, or when another device has another key of it */
  accepted(device: string, epoch: HeldEpoch): void {
    const id = toHex(epoch.epochId);
    const members = this.dealt.get(id)?.members;
    if (members === undefined) throw new Error(`${device} accepted an epoch that nobody dealt`);
    if (!members.has(device)) throw new Error(`${device} accepted epoch ${id}, in which it is not`);
    const value = [epoch.applicationKey.bytes, epoch.messageKey.bytes, epoch.fingerprint]
      .map(toHex)
      .join(' ');
    const known = this.#keys.get(id);
    if (known !== undefined && known !== value) throw new Error(`${device} has another key of epoch ${id}`);
    this.#keys.set(id, value);
  }

  /** GRP-12. @throws when the receiver took that counter of that sender before */
  taken(receiver: string, sender: string, epochId: Uint8Array, counter: number): void {
    const name = `${receiver}/${sender}/${toHex(epochId)}/${counter}`;
    if (this.#taken.has(name)) throw new Error(`${receiver} took counter ${counter} of ${sender} twice`);
    this.#taken.add(name);
  }
}
