import { SymmetraError, fromBase32, fromHex } from '@symmetra/crypto';
import { promotionCode } from '@symmetra/protocol';
import type { ControlBody } from '@symmetra/protocol';
import type { Command } from 'commander';
import { openAdministrator } from '../administrator/administrator.js';
import type { Administrator } from '../administrator/administrator.js';
import { codePartOf, deviceRecord, standingOf } from '../administrator/device-record.js';
import type { DeviceRecord } from '../administrator/device-record.js';
import { receiptSentences, requireReceipts } from '../administrator/receipts.js';
import { addCommand, addGroup, option, required } from '../command.js';
import { failureOf } from '../exit.js';
import type { Failure } from '../exit.js';
import type { Invocation } from '../invocation.js';
import { columns } from '../output.js';
import { deviceId, keyId, name, path } from '../values.js';

interface AdminOptions {
  readonly data: string;
}

interface RevokeOptions extends AdminOptions {
  readonly reason?: string;
}

const PAGE = 500;
const MAX_DEVICES = 100_000;

const dataOption = () =>
  required(option('--data <dir>', 'the directory of the network, with admin.key', path));

/** @returns the group, for the commands that stand in files of their own. */
export function addAdminCommands(program: Command, invocation: Invocation): Command {
  const admin = addGroup(program, 'admin', 'administration, with the key in DIR/admin.key');
  const device = addGroup(admin, 'device', 'the devices of the network');
  const key = addGroup(admin, 'key', 'the keys of the network');
  const reason = () => option('--reason <text>', 'why, for the control log', name);

  addCommand<AdminOptions>(device, invocation, {
    name: 'list',
    summary: 'list the devices',
    options: [dataOption()],
    examples: [
      'symmetra admin device list --data .symmetra',
      'symmetra admin device list --data .symmetra --json',
    ],
    run: listDevices,
  });
  addCommand<AdminOptions>(device, invocation, {
    name: 'show',
    args: '<id>',
    summary: 'show one device, as every node knows it',
    details:
      'The code is the one that `symmetra device ratchet` printed on the device: two people who compare them know ' +
      'that it was this device that replaced its keys. It takes all nodes.',
    options: [dataOption()],
    examples: ['symmetra admin device show ID --data .symmetra'],
    run: async (run, options, [id = '']) => showDevice(run, options, deviceId(id)),
  });
  addCommand<RevokeOptions>(device, invocation, {
    name: 'revoke',
    args: '<id>',
    summary: 'shut a device out, at once and for ever',
    details:
      'Every node refuses the device from its next call on, closes its link and drops its pending shares; the ' +
      'devices that hold keys with it are told and erase them. Done when every node has returned a receipt; ' +
      'otherwise the command fails with RECEIPTS_MISSING and names the nodes. They catch up when they are back.',
    options: [dataOption(), reason()],
    examples: ['symmetra admin device revoke ID --data .symmetra --reason stolen'],
    run: async (run, options, [id = '']) => revokeDevice(run, options, deviceId(id)),
  });
  addCommand<RevokeOptions>(key, invocation, {
    name: 'revoke',
    args: '<keyid>',
    summary: 'end one key; both devices are told and erase it',
    options: [dataOption(), reason()],
    examples: ['symmetra admin key revoke KEYID --data .symmetra'],
    run: async (run, options, [id = '']) => revokeKey(run, options, keyId(id)),
  });
  return admin;
}

async function listDevices(invocation: Invocation, { data }: AdminOptions): Promise<void> {
  const { calls, descriptor } = await openAdministrator(invocation, data, true);
  const { node, outcome: devices } = await firstAnswer(descriptor.nodes, async (one) => {
    const found: DeviceRecord[] = [];
    let after: Uint8Array = new Uint8Array(0);
    while (found.length < MAX_DEVICES) {
      const page = await calls.call(one, 'ListDevices', { after, limit: PAGE });
      const last = page.devices.at(-1);
      if (last === undefined) break;
      found.push(...page.devices.map(deviceRecord));
      after = last.deviceId;
    }
    return found;
  });
  invocation.output.result({ node: node.id, devices }, [
    ...columns(devices.map((one) => [one.deviceId, one.name, standingOf(one), one.home ?? 'not attached'])),
    `${devices.length} device(s), as ${node.id} knows them`,
  ]);
}

async function showDevice(invocation: Invocation, { data }: AdminOptions, id: string): Promise<void> {
  const { calls, descriptor } = await openAdministrator(invocation, data, true);
  const views = await Promise.all(
    descriptor.nodes.map(async (node) => {
      try {
        const { device } = await calls.call(node, 'GetDevice', { deviceId: fromBase32(id) });
        if (device === null) throw new SymmetraError('DEVICE_UNKNOWN', 'the node does not know the device');
        return { node: node.id, record: deviceRecord(device), codePart: codePartOf(node.id, device) };
      } catch (error) {
        return { node: node.id, failure: failureOf(error) };
      }
    }),
  );
  const record = views.find((view) => view.record !== undefined)?.record;
  if (record === undefined) throw refusalOf(views.flatMap((view) => view.failure ?? []));
  const nodes = Object.fromEntries(
    views.map((view) => [
      view.node,
      view.record === undefined
        ? { error: view.failure }
        : { stage: view.record.stage, epoch: view.record.epoch, revoked: view.record.revoked },
    ]),
  );
  const parts = views.flatMap(({ codePart }) => codePart ?? []);
  const code = parts.length === views.length ? promotionCode(parts) : null;
  const { epoch: _epochOfOneNode, ...shown } = record;
  invocation.output.result({ ...shown, code, nodes }, [
    `${record.name === '' ? 'device' : record.name} ${record.deviceId}`,
    `  ${standingOf(record)}, home ${record.home ?? '(not attached)'}, enrolled ${record.enrolled}`,
    ...Object.entries(record.tags).map(([key, value]) => `  ${key}=${value}`),
    ...columns(
      views.map(({ node, record: at, failure }) =>
        at === undefined ? [`  ${node}`, failure.code] : [`  ${node}`, `epoch ${at.epoch}`, standingOf(at)],
      ),
    ),
    ...(code === null ? [] : [`  code ${code}`]),
  ]);
}

async function revokeDevice(invocation: Invocation, options: RevokeOptions, id: string): Promise<void> {
  const administrator = await openAdministrator(invocation, options.data);
  await requireKnown(administrator, fromBase32(id));
  const reason = options.reason ?? '';
  await revoke(
    invocation,
    administrator,
    { kind: 'device-revoke', deviceId: fromBase32(id), reason },
    { deviceId: id },
  );
}

async function revokeKey(invocation: Invocation, options: RevokeOptions, id: string): Promise<void> {
  const administrator = await openAdministrator(invocation, options.data);
  const reason = options.reason ?? '';
  await revoke(invocation, administrator, { kind: 'key-revoke', keyId: fromHex(id), reason }, { keyId: id });
}

async function revoke(
  { output }: Invocation,
  { log, descriptor }: Administrator,
  body: ControlBody,
  target: { readonly deviceId: string } | { readonly keyId: string },
): Promise<void> {
  const appended = await log.append(body);
  const complete = appended.receipts.every((receipt) => receipt.applied);
  const [what] = Object.values(target);
  output.result({ ...target, revoked: complete, number: appended.number, receipts: appended.receipts }, [
    `${what} is revoked, event ${appended.number}`,
    ...receiptSentences(appended),
  ]);
  requireReceipts(appended, descriptor.nodes.length);
}

/** A revocation that names nobody would look like a success. @throws DEVICE_UNKNOWN, NODES_UNREACHABLE */
async function requireKnown({ calls, descriptor }: Administrator, id: Uint8Array): Promise<void> {
  const failures: Failure[] = [];
  for (const node of descriptor.nodes) {
    try {
      await calls.call(node, 'GetDevice', { deviceId: id });
      return;
    } catch (error) {
      failures.push(failureOf(error));
    }
  }
  throw refusalOf(failures);
}

/** The failure to tell when no node gave what was asked: an answer says more than silence. */
function refusalOf(failures: readonly Failure[]): SymmetraError {
  const { code, message } = failures.find((one) => one.code !== 'NODE_UNREACHABLE') ?? {
    code: 'NODES_UNREACHABLE',
    message: 'no node answers; is the network up?',
  };
  return new SymmetraError(code, message);
}

/** Asks the nodes one after the other until one answers. @throws NODES_UNREACHABLE, or what a node answered */
async function firstAnswer<Node, Outcome>(
  nodes: readonly Node[],
  ask: (node: Node) => Promise<Outcome>,
): Promise<{ readonly node: Node; readonly outcome: Outcome }> {
  const failures: Failure[] = [];
  for (const node of nodes) {
    try {
      return { node, outcome: await ask(node) };
    } catch (error) {
      failures.push(failureOf(error));
    }
  }
  throw refusalOf(failures);
}
