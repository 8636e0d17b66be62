import { encodeGroupDue, readBroadcast, signBroadcast } from '@symmetra/protocol';
import type { ProtocolContext } from '@symmetra/protocol';
import * as by from './by-hand.js';
import { descriptor } from './control.js';
import { GROUP_ID, device } from './group-by-hand.js';
import type { HandEpoch, groupSecretsByHand } from './group-by-hand.js';
import { NODE_IDS, signer } from './network.js';
import { NETWORK_ID, agreed } from './vector.js';
import type { Vector } from './vector.js';

const BOUND_SECONDS = 10;

/** What one epoch left behind. */
export interface Settled {
  readonly epoch: HandEpoch;
  readonly secrets: ReturnType<typeof groupSecretsByHand>;
}

/** GRP-10: the notice of one node that Bob left. */
export function noticeVector(context: ProtocolContext, { epoch, secrets }: Settled): Vector {
  const [nodeId] = NODE_IDS;
  const out = [device('Bob')];
  const order = [device('Alice')];
  const content = encodeGroupDue(context, {
    nodeId,
    groupId: GROUP_ID,
    epoch: epoch.epoch,
    epochId: secrets.epochId,
    reason: 'left',
    out,
    order,
    boundSeconds: BOUND_SECONDS,
  });
  const byHand = by.raw(
    by.u8(1),
    NETWORK_ID,
    by.u8(2),
    by.text(nodeId),
    GROUP_ID,
    by.u64(epoch.epoch),
    by.bytes(secrets.epochId),
    by.u8(1),
    by.list(out, (id) => id),
    by.list(order, (id) => id),
    by.u32(BOUND_SECONDS),
  );
  const signature = signBroadcast(content, signer(nodeId).secretKey);
  readBroadcast(context, descriptor, content, signature);
  return { content: agreed('notice', content, byHand), signature: by.hex(signature) };
}
