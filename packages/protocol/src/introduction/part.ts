import { Reader, Secret, Writer } from '@symmetra/crypto';
import { MAX_NAME_LENGTH } from '../context.js';
import { SHARE_LENGTH } from '../pairwise/header.js';
import type { Share } from '../pairwise/transcript.js';

const MAX_TAGS = 64;
const MAX_TAG_VALUE = 255;
const MAX_HEADER = 4096;
const MAX_FACTS = 32 * 1024;

/** ENR-10: what a node knows of a device that it introduces, from the token and from its enrolment. */
export interface DeviceFacts {
  readonly account: string;
  readonly name: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

/** Canonical bytes: those of two nodes are the same when they know the same. */
export function encodeDeviceFacts({ account, name, tags }: DeviceFacts): Uint8Array {
  return new Writer()
    .text(account)
    .text(name)
    .list(tags, (w, tag) => w.text(tag.key).text(tag.value))
    .finish();
}

/** @throws BAD_ENCODING */
export function decodeDeviceFacts(bytes: Uint8Array): DeviceFacts {
  const reader = new Reader(bytes, 'facts of a device');
  const facts: DeviceFacts = {
    account: reader.text(MAX_NAME_LENGTH),
    name: reader.text(MAX_NAME_LENGTH),
    tags: reader.list(MAX_TAGS, (r) => ({ key: r.text(MAX_NAME_LENGTH), value: r.text(MAX_TAG_VALUE) })),
  };
  reader.end();
  return facts;
}

/** What one node passes on to the new one: the header as the device sent it, its own share, and the facts. */
export interface IntroductionPart {
  readonly header: Uint8Array;
  readonly share: Share;
  /** Canonical bytes of {@link DeviceFacts}. */
  readonly facts: Uint8Array;
}

/** The caller wipes what it gets once it is sent: the share stands in it. */
export function encodeIntroductionPart({ header, share, facts }: IntroductionPart): Uint8Array {
  return new Writer().bytes(header).raw(share.bytes).bytes(facts).finish();
}

/** @throws BAD_ENCODING */
export function decodeIntroductionPart(bytes: Uint8Array): IntroductionPart {
  const reader = new Reader(bytes, 'part of an introduction');
  const header = reader.bytes(MAX_HEADER);
  const share = reader.raw(SHARE_LENGTH);
  const facts = reader.bytes(MAX_FACTS);
  reader.end();
  return { header, share: Secret.of('Share', share), facts };
}
