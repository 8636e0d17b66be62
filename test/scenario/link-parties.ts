import { Secret, suiteTable, suites } from '@symmetra/crypto';
import {
  answerLink,
  checkLinkOpen,
  confirmLink,
  inspectLinkConfirm,
  inspectLinkOpen,
  nodeKeyHash,
  openLink,
  receiveLinkAnswer,
  receiveLinkConfirm,
  receiveLinkDone,
} from '@symmetra/protocol';
import type {
  FormerLink,
  LinkAnswering,
  LinkKeys,
  LinkOpening,
  LinkPeer,
  LinkSelf,
  ProtocolContext,
} from '@symmetra/protocol';
import { CHEAP_SUITE_ID, Prng, cheapSuite } from '@symmetra/testing';

/** A process that opens and answers links. */
export interface Party {
  readonly self: LinkSelf;
  /** What others know of its node. */
  readonly peer: LinkPeer;
}

/** What the two ends of a handshake mix in. */
export interface Mixed {
  readonly former?: FormerLink | undefined;
  readonly qkd?: { readonly keyId: string; readonly key: Uint8Array };
}

/** The parties of a test, and everything that they draw, from one seed. */
export class LinkParties {
  readonly context: ProtocolContext;
  readonly suiteId: number;
  readonly prng: Prng;

  constructor(seed: string, suiteId = CHEAP_SUITE_ID) {
    this.prng = new Prng(seed);
    this.suiteId = suiteId;
    this.context = {
      networkId: this.prng.bytes(16),
      suites: suiteTable([...suites.ids().map((id) => suites.get(id)), cheapSuite]),
    };
  }

  /** A process of a node, with keys of its own or, as a replica, with those of another process. */
  party(nodeId: string, replicaOf?: Party): Party {
    const { kem } = this.context.suites.get(this.suiteId);
    const drawn = kem.keygen(this.prng.bytes(kem.seedLength));
    const { publicKey, secretKey } = replicaOf?.self ?? {
      publicKey: drawn.publicKey,
      secretKey: Secret.of('NodeKemKey', drawn.secretKey),
    };
    const keyHash = nodeKeyHash({ kemKeys: [{ suiteId: this.suiteId, publicKey }] });
    const instance = Buffer.from(this.prng.bytes(4)).toString('hex');
    return {
      self: { nodeId, instance, suiteId: this.suiteId, publicKey, secretKey, keyHash },
      peer: { nodeId, publicKey, keyHash },
    };
  }

  /** LINK-1. */
  open(
    from: Party,
    to: LinkPeer,
    asked: { instance?: string; former?: FormerLink | undefined } = {},
  ): { state: LinkOpening; message: Uint8Array } {
    const { kem } = this.context.suites.get(this.suiteId);
    const { state, output } = openLink(this.context, from.self, to, asked, {
      nonce: this.prng.bytes(32),
      seed: this.prng.bytes(kem.seedLength),
      coins: this.prng.bytes(kem.coinsLength),
    });
    return { state, message: output };
  }

  /** LINK-2. */
  answer(
    at: Party,
    from: LinkPeer,
    message: Uint8Array,
    former?: FormerLink,
  ): { state: LinkAnswering; message: Uint8Array } {
    const { kem } = this.context.suites.get(this.suiteId);
    const request = inspectLinkOpen(this.context, at.self, message);
    checkLinkOpen(this.context, at.self, from, request, former);
    const { state, output } = answerLink(this.context, at.self, from, request, former, {
      nonce: this.prng.bytes(32),
      seed: this.prng.bytes(kem.seedLength),
      coinsToEphemeral: this.prng.bytes(kem.coinsLength),
      coinsToStatic: this.prng.bytes(kem.coinsLength),
    });
    return { state, message: output };
  }

  coins(): Uint8Array {
    return this.prng.bytes(this.context.suites.get(this.suiteId).kem.coinsLength);
  }

  /** A whole handshake; the ends may mix in different things. */
  handshake(
    initiator: Party,
    responder: Party,
    mixed: { initiator?: Mixed; responder?: Mixed } = {},
  ): {
    initiator: LinkKeys;
    responder: LinkKeys;
    messages: readonly Uint8Array[];
  } {
    const former = mixed.initiator?.former;
    const instance = responder.self.instance;
    const open = this.open(initiator, responder.peer, { instance, former });
    const answer = this.answer(responder, initiator.peer, open.message, mixed.responder?.former);
    const answered = receiveLinkAnswer(this.context, open.state, answer.message);
    const confirm = confirmLink(this.context, answered.state, copyOf(mixed.initiator?.qkd), this.coins());
    inspectLinkConfirm(this.context, answer.state, confirm.output);
    const key = mixed.responder?.qkd?.key.slice();
    const done = receiveLinkConfirm(this.context, answer.state, confirm.output, key);
    return {
      initiator: receiveLinkDone(confirm.state, done.output),
      responder: done.state,
      messages: [open.message, answer.message, confirm.output, done.output],
    };
  }
}

function copyOf(qkd: Mixed['qkd']): Mixed['qkd'] {
  return qkd && { keyId: qkd.keyId, key: qkd.key.slice() };
}
