import type { Device } from '../device.js';
import type { GroupInfo, GroupOptions } from '../group/group-info.js';
import { badParameter, number, present, required, text, texts } from './owner-parameters.js';
import type { Params } from './owner-parameters.js';
import { writeSecret } from './secret-file.js';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The commands for groups that an owner carries out for others. Keys go to files only. */
export const GROUP_METHODS: Readonly<Record<string, (device: Device, params: Params) => Promise<unknown>>> = {
  'group.create': create,
  'group.add': async ({ group }, params) => group.add(required(params, 'groupId'), members(params)),
  'group.remove': async ({ group }, params) => group.remove(required(params, 'groupId'), members(params)),
  'group.rotate': async ({ group }, params) => group.rotate(required(params, 'groupId')),
  'group.leave': async ({ group }, params) => {
    const groupId = required(params, 'groupId');
    const last = group.list().find((one) => one.groupId === groupId);
    await group.leave(groupId);
    return { ...last };
  },
  'group.list': async ({ group }) => ({ groups: group.list() }),
  'group.show': async (device, params) => {
    const info = device.group.show(required(params, 'groupId'));
    await writeKey(device, info, params);
    return info;
  },
  'group.send': async ({ group }, params) => group.send(required(params, 'groupId'), plaintext(params)),
};

async function create(device: Device, params: Params): Promise<unknown> {
  const options: GroupOptions = {
    members: members(params),
    ...present({
      managers: texts(params, 'managers'),
      purpose: text(params, 'purpose'),
      keyLength: number(params, 'keyLength'),
      rotateEvery: number(params, 'rotateEvery'),
      uses: number(params, 'uses'),
      suite: number(params, 'suite'),
    }),
  };
  const info = await device.group.create(options);
  await writeKey(device, info, params);
  return info;
}

/** Writes the key of the epoch that is shown, when a file is named. */
async function writeKey(device: Device, { groupId, epochId }: GroupInfo, params: Params): Promise<void> {
  const out = text(params, 'out');
  if (out !== undefined) await writeSecret(out, device.group.key(groupId, epochId).bytes);
}

function members(params: Params): readonly string[] {
  const ids = texts(params, 'members');
  if (ids !== undefined) return ids;
  throw badParameter('members');
}

function plaintext(params: Params): Uint8Array {
  const encoded = required(params, 'plaintext');
  if (BASE64.test(encoded)) return Buffer.from(encoded, 'base64');
  throw badParameter('plaintext');
}
