import { Secret, combine, suites, toHex } from '@symmetra/crypto';
import {
  believedDue,
  dealEpoch,
  dealHash,
  decodeGroupHeader,
  encodeGroupHeader,
  groupCoinLength,
  groupEpochId,
  groupSecrets,
  groupShareCommitment,
  newMember,
  readWelcome,
  receiveWelcome,
} from '@symmetra/protocol';
import type { MemberGroup, MemberOutput } from '@symmetra/protocol';
import { Prng } from '@symmetra/testing';
import { describe, expect, test } from 'vitest';
import {
  GROUP_ID,
  GroupScene,
  NODE_IDS,
  SceneMember,
  createdGroup,
  deviceOf,
  floorsOf,
  notice,
} from './group-world.js';
import type { DealtEpoch } from './group-world.js';
import { CONTEXT } from './protocol-world.js';

const suite = suites.get(1);
const MEMBERS = ['alice', 'bob', 'carol'];

describe('GRP-9: a dealer whose shares lie on no one polynomial', () => {
  /** One header; a tag for what the first and the last node bring, and one for the other two. */
  function twoFaced(scene: GroupScene): readonly [DealtEpoch, DealtEpoch] {
    const { request, changes } = scene.deal({ added: MEMBERS });
    const prng = new Prng('two-faced');
    const shares = NODE_IDS.map(() => prng.bytes(32));
    const secretOf = (...places: readonly number[]): Uint8Array =>
      combine(places.map((x) => ({ x, bytes: shares[x - 1] as Uint8Array })));
    const commitments = [secretOf(1, 3), ...shares].map((part, i) =>
      groupShareCommitment(suite, request, i, part),
    );
    const header = encodeGroupHeader(CONTEXT, { ...request, commitments });
    const decoded = decodeGroupHeader(CONTEXT, header);
    const withTagOf = (secret: Uint8Array): DealtEpoch => {
      const { tag } = groupSecrets(CONTEXT, header, decoded, secret);
      const names = { epochId: groupEpochId(suite, header), dealHash: dealHash(suite, header, tag) };
      const parts = shares.map((share) => Secret.of('Share', share.slice()));
      return { request, changes, deal: { header, tag, ...names, shares: parts } };
    };
    return [withTagOf(secretOf(1, 3)), withTagOf(secretOf(2, 3))];
  }

  test('gives no two members of one epoch id two keys: S is committed to as well', () => {
    const scene = new GroupScene(suite);
    const faces = twoFaced(scene);
    const [first, second, last] = scene.nodes;
    for (const node of scene.nodes) node.bring(faces[0]);
    const heard = (name: string, tag: Uint8Array, ...nodes: readonly (typeof first)[]): MemberOutput[] => {
      const member = new SceneMember(name);
      return nodes.map((node) => member.welcome(node.nodeId, { ...node.welcome(name), tag }));
    };
    const [taken, refused] = faces.map(({ deal }) => deal.tag) as [Uint8Array, Uint8Array];
    expect(heard('alice', taken, first, last).map(({ kind }) => kind)).toEqual(['nothing', 'epoch']);
    expect(heard('bob', refused, second, last).map(({ kind }) => kind)).toEqual(['nothing', 'misfit']);
  });
});

test('GRP-9: where k is below the majority, k nodes bring a member no epoch', () => {
  const nodes = [...NODE_IDS, 'delhi'];
  const prng = new Prng('four nodes');
  const { request } = new GroupScene(suite).deal({ added: MEMBERS });
  const deal = dealEpoch(
    CONTEXT,
    { ...request, nodes },
    { secret: prng.bytes(32), coins: prng.bytes(groupCoinLength(request.threshold)) },
  );
  let state: MemberGroup = newMember(GROUP_ID, deviceOf('alice'));
  const kinds = nodes.map((nodeId, i) => {
    const fields = {
      header: deal.header,
      tag: deal.tag,
      place: 0,
      step: 0,
      share: deal.shares[i]?.bytes.slice() ?? new Uint8Array(0),
      pathKeys: prng.bytes((request.height + 1) * 32),
    };
    const read = readWelcome(CONTEXT, { ...floorsOf(), nodes }, nodeId, fields);
    const step = receiveWelcome(CONTEXT, state, read, 0);
    state = step.state;
    return step.output.kind;
  });
  expect(request.threshold).toBe(2);
  expect(kinds).toEqual(['nothing', 'nothing', 'epoch', 'held']);
});

test('GRP-9: a node that is still in an epoch that was erased gives no path of it', () => {
  const { scene, members } = createdGroup(suite, MEMBERS);
  const alice = members.get('alice') as SceneMember;
  scene.next({}).forEach((broadcast) => alice.hear(broadcast));
  scene.next({ lifetimeSeconds: 60 }).forEach((broadcast) => alice.hear(broadcast));
  alice.end(60_000);
  expect(alice.held).toEqual([2, 1]);
  const [node] = scene.nodes;
  const before = alice.state.paths;
  expect(alice.welcome(node.nodeId, node.welcome('alice'))).toMatchObject({ kind: 'held' });
  expect(alice.state.paths).toEqual(before);
  expect(alice.state.paths.some(({ epoch }) => epoch === 3)).toBe(false);
});

test('GRP-10: one node adds nobody to whom k nodes name', () => {
  const { scene, members } = createdGroup(suite, [...MEMBERS, 'dave', 'eve']);
  const alice = members.get('alice') as SceneMember;
  const eve = deviceOf('eve');
  alice.due(notice(scene, 'amsterdam', { out: [eve, deviceOf('dave')], reason: 'revoked' }));
  alice.due(notice(scene, 'bern', { out: [eve] }));
  expect(believedDue(alice.state)?.out.map(toHex)).toEqual([toHex(eve)]);
});
