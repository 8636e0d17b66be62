import { SymmetraError, equalConstantTime } from '@symmetra/crypto';
import { SHORT_ID_LENGTH, decodeGroupHeader, inspectGroupMessage } from '@symmetra/protocol';
import type { Bus } from '@symmetra/bus';
import { decode, encode } from '@symmetra/rpc';
import type { Clock } from '@symmetra/runtime';
import type { ControlState } from '../control/control-state.js';
import type { Presences } from '../presence/presences.js';
import { hexOf } from '../rows/row-keys.js';
import type { Caller, SealedOutcome } from '../session/sealed-handler.js';
import type { Departures } from './departures.js';
import { checkMessage } from './group-pass.js';
import type { GroupPass } from './group-pass.js';
import type { GroupTable } from './group-table.js';
import type { HeldGroup } from './held-group.js';
import type { Notices } from './notices.js';
import { MAX_PART, deviceIdsIn } from './staged-rosters.js';
import type { StagedRosters } from './staged-rosters.js';

const MAX_ENTRIES = 1000;
/** GRP-10: a node heeds one request for another epoch from a member in this part of the lifetime. */
const RENEWALS_PER_LIFETIME = 64;
const SECOND_MS = 1000;
const EMPTY_REPLY = new Uint8Array(0);

export interface GroupServiceParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly state: ControlState;
  readonly table: GroupTable;
  readonly staged: StagedRosters;
  readonly departures: Departures;
  readonly notices: Notices;
  readonly presences: Presences;
  readonly pass: GroupPass;
}

/** What members ask of a node, but deals. */
export class GroupService {
  readonly #parts: GroupServiceParts;

  constructor(parts: GroupServiceParts) {
    this.#parts = parts;
  }

  /** GRP-3: a part of a roster. @throws BAD_MESSAGE, STAGE_OUT_OF_ORDER, GROUP_TOO_LARGE, GROUP_BUSY */
  stage(session: Caller, plaintext: Uint8Array): SealedOutcome {
    const { groupId, epoch, offset, members } = decode('symmetra.group.v1.StageRequest', plaintext);
    const part = { groupHex: groupHexOf(groupId), epoch, offset, members: deviceIdsIn(members, MAX_PART) };
    const staged = this.#parts.staged.add(session.deviceHex, part);
    return { reply: encode('symmetra.group.v1.StageResponse', { staged }) };
  }

  /** GRP-9: a member holds the epoch in force; of another one nothing is kept. @throws BAD_MESSAGE, GROUP_UNKNOWN, GROUP_ENDED, GROUP_NOT_MEMBER */
  async confirm(session: Caller, plaintext: Uint8Array): Promise<SealedOutcome> {
    const { groupId, epochId } = decode('symmetra.group.v1.ConfirmRequest', plaintext);
    await this.#parts.table.run(groupHexOf(groupId), async (group) => {
      const place = group.placeOf(session.deviceId);
      if (isInForce(group, epochId)) group.confirmed.add(place);
    });
    return { reply: EMPTY_REPLY };
  }

  /** GRP-10. @throws BAD_MESSAGE, GROUP_UNKNOWN, GROUP_ENDED, GROUP_NOT_MEMBER */
  async leave(session: Caller, plaintext: Uint8Array): Promise<SealedOutcome> {
    const { groupId } = decode('symmetra.group.v1.LeaveRequest', plaintext);
    await this.#parts.departures.leave(groupHexOf(groupId), session.deviceId);
    return { reply: EMPTY_REPLY };
  }

  /** GRP-10. @throws BAD_MESSAGE, GROUP_UNKNOWN, GROUP_ENDED, GROUP_NOT_MEMBER, GROUP_EPOCH_OLD, RATE_LIMITED */
  async renew(session: Caller, plaintext: Uint8Array): Promise<SealedOutcome> {
    const { groupId, epochId } = decode('symmetra.group.v1.RenewRequest', plaintext);
    await this.#parts.table.run(groupHexOf(groupId), async (group) => {
      const place = group.placeOf(session.deviceId);
      if (!isInForce(group, epochId)) {
        const { epoch } = group.current().inForce;
        throw new SymmetraError('GROUP_EPOCH_OLD', 'another epoch is in force', { epoch });
      }
      this.#countRenewal(group, place);
      if (this.#mayTell(group)) this.#parts.notices.sendUsedUp(group);
    });
    return { reply: EMPTY_REPLY };
  }

  /** GRP-2. @throws BAD_MESSAGE, GROUP_UNKNOWN, GROUP_ENDED, GROUP_NOT_MEMBER */
  async roster(session: Caller, plaintext: Uint8Array): Promise<SealedOutcome> {
    const { groupId, from } = decode('symmetra.group.v1.GetRosterRequest', plaintext);
    return this.#parts.table.run(groupHexOf(groupId), async (group) => {
      group.placeOf(session.deviceId);
      const { epochId, header } = group.current().inForce;
      const entries: { place: number; device: Uint8Array; confirmed: boolean }[] = [];
      let next = 0;
      for (const { place, deviceId } of group.roster.members(from)) {
        if (entries.length === MAX_ENTRIES) {
          next = place;
          break;
        }
        entries.push({ place, device: deviceId, confirmed: group.confirmed.has(place) });
      }
      return { reply: encode('symmetra.group.v1.GetRosterResponse', { epochId, header, entries, next }) };
    });
  }

  /** GRP-12: at the process that has the session. @throws NOT_HOME */
  checkHome({ deviceHex }: Caller): void {
    const { bus, presences } = this.#parts;
    if (presences.here(deviceHex)?.home === bus.self) return;
    throw new SymmetraError('NOT_HOME', 'messages to a group go through the home node of the sender');
  }

  /** GRP-12. @throws BAD_MESSAGE, BAD_ENCODING, WRONG_VERSION, GROUP_UNKNOWN, GROUP_ENDED, GROUP_NOT_MEMBER */
  async send(session: Caller, plaintext: Uint8Array): Promise<SealedOutcome> {
    const { pass, table } = this.#parts;
    const { message } = decode('symmetra.group.v1.SendRequest', plaintext);
    checkMessage(message);
    const { groupId, sender } = inspectGroupMessage(message);
    if (!equalConstantTime(sender, session.deviceId)) {
      throw badMessage('a group message goes out in the session of its sender');
    }
    const groupHex = hexOf(groupId);
    await table.run(groupHex, async (group) => group.placeOf(session.deviceId));
    const handedOver = await pass.message(groupHex, Uint8Array.from(message), session.deviceHex);
    return { reply: encode('symmetra.group.v1.SendResponse', { handedOver }) };
  }

  /** @throws RATE_LIMITED */
  #countRenewal(group: HeldGroup, place: number): void {
    const { clock, state } = this.#parts;
    const { limits } = decodeGroupHeader(state.context, group.current().inForce.header);
    const now = clock.monotonic();
    const last = group.renewals.get(place);
    const pauseMs = (limits.lifetimeSeconds * SECOND_MS) / RENEWALS_PER_LIFETIME;
    if (last !== undefined && now - last < pauseMs) {
      throw new SymmetraError('RATE_LIMITED', 'the member asked for another epoch a short time ago');
    }
    group.renewals.set(place, now);
  }

  /** Members whose uses are over at the same time share one notice: it stands for as long as policy's bound. */
  #mayTell(group: HeldGroup): boolean {
    const { clock, state } = this.#parts;
    const now = clock.monotonic();
    if (now < group.usedUpUntil) return false;
    group.usedUpUntil = now + state.policy.groupBoundSeconds * SECOND_MS;
    return true;
  }
}

function isInForce(group: HeldGroup, epochId: Uint8Array): boolean {
  return equalConstantTime(group.current().inForce.epochId, epochId);
}

/** @throws BAD_MESSAGE */
function groupHexOf(groupId: Uint8Array): string {
  if (groupId.length !== SHORT_ID_LENGTH) throw badMessage('a group id has 16 bytes');
  return hexOf(groupId);
}

function badMessage(message: string): SymmetraError {
  return new SymmetraError('BAD_MESSAGE', message);
}
