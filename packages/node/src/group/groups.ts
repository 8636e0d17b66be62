import type { Bus } from '@symmetra/bus';
import type { NodeRandomness } from '@symmetra/entropy';
import type { Clock, Logger } from '@symmetra/runtime';
import type { Store } from '@symmetra/storage';
import type { Freshness } from '../control/freshness.js';
import type { ControlState } from '../control/control-state.js';
import type { DeviceRegistry } from '../devices/device-registry.js';
import type { LinkTable } from '../link/link-table.js';
import type { EventSender } from '../presence/event-sender.js';
import type { Presences } from '../presence/presences.js';
import type { Siblings } from '../replicas/siblings.js';
import type { SealedHandler } from '../session/sealed-handler.js';
import { Agreement } from './agreement.js';
import { Audience } from './audience.js';
import { CreatedGroups } from './created-groups.js';
import { Deals } from './deals.js';
import { Departures } from './departures.js';
import { Epochs } from './epochs.js';
import { groupCalls } from './group-calls.js';
import type { GroupMethod } from './group-calls.js';
import { GroupPass } from './group-pass.js';
import { GroupSeat } from './group-seat.js';
import { GroupService } from './group-service.js';
import { GroupStart } from './group-start.js';
import { GroupTable } from './group-table.js';
import { GroupTimers } from './group-timers.js';
import { Members } from './members.js';
import { Memberships } from './memberships.js';
import { Notices } from './notices.js';
import { RostersOfDeals } from './rosters-of-deals.js';
import { ShareExpiry } from './share-expiry.js';
import { StagedRosters } from './staged-rosters.js';
import { TreeSteps } from './tree-step.js';
import { TreeUpkeep } from './tree-upkeep.js';
import { Welcomes } from './welcomes.js';

export interface GroupsParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly randomness: NodeRandomness;
  readonly store: Store;
  readonly state: ControlState;
  readonly freshness: Freshness;
  readonly devices: DeviceRegistry;
  readonly presences: Presences;
  readonly siblings: Siblings;
  readonly links: LinkTable;
  readonly events: EventSender;
}

/** Group keys at one node (protocol section 13), put together. */
export interface Groups {
  readonly handlers: Readonly<Record<GroupMethod, SealedHandler>>;
  readonly members: Members;
  /** Whether this process does what one process of the node alone does. */
  readonly isSeat: () => boolean;
  readonly staged: StagedRosters;
  readonly shareExpiry: ShareExpiry;
  /** GRP-11: goes on where the last process stopped. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export function assembleGroups(parts: GroupsParts): Groups {
  const { bus, clock, logger, store, state, freshness, siblings } = parts;
  const { bytes: random, requireEntropy } = parts.randomness;
  const { context, identity } = state;
  const nodeId = identity.id;
  const peers = state.descriptor.nodes.map(({ id }) => id).filter((id) => id !== nodeId);

  const timers = new GroupTimers(clock);
  const table = new GroupTable(store, context, siblings.isShared);
  const seat = new GroupSeat(parts);
  const memberships = new Memberships(store);
  const created = new CreatedGroups();
  const staged = new StagedRosters(clock);
  const audience = new Audience(parts);
  const pass = new GroupPass({ ...parts, peers, audience });
  const notices = new Notices({ ...parts, pass });
  const trees = new TreeSteps({ store, logger, random, context, nodeId });
  const welcomes = new Welcomes({ ...parts, table, trees });
  const upkeep = new TreeUpkeep({ store, logger, context, nodeId, table, timers, welcomes });
  const around = { ...parts, seat, table, memberships, created, notices, audience, welcomes, pass, timers };
  const epochs = new Epochs({ ...around, trees, upkeep });
  const agreement = new Agreement({ ...around, epochs });
  const rosters = new RostersOfDeals({ bus, logger, context, seat, table });
  const departures = new Departures(around);
  const deals = new Deals({ ...around, staged, agreement, rosters });
  const service = new GroupService({ ...around, staged, departures });
  const start = new GroupStart({ ...around, agreement, departures, upkeep });

  const handlers = groupCalls(seat, {
    '/symmetra.group.v1.GroupService/Stage': (own, request) => service.stage(own, request),
    '/symmetra.group.v1.GroupService/Deal': async (own, request) => {
      requireEntropy();
      await freshness.ensure();
      return deals.answer(own, request);
    },
    '/symmetra.group.v1.GroupService/Confirm': async (own, request) => service.confirm(own, request),
    '/symmetra.group.v1.GroupService/Leave': async (own, request) => service.leave(own, request),
    '/symmetra.group.v1.GroupService/Renew': async (own, request) => service.renew(own, request),
    '/symmetra.group.v1.GroupService/GetRoster': async (own, request) => service.roster(own, request),
    '/symmetra.group.v1.GroupService/Send': async (own, request) => service.send(own, request),
  });
  const sendMethod = '/symmetra.group.v1.GroupService/Send';

  return {
    handlers: {
      ...handlers,
      [sendMethod]: async (session, ...call) => {
        service.checkHome(session);
        return handlers[sendMethod](session, ...call);
      },
    },
    isSeat: () => seat.isHere,
    members: new Members({ ...around, self: nodeId, departures }),
    staged,
    shareExpiry: new ShareExpiry(around),
    start: async () => {
      const lost = (): void => {
        timers.clear();
        upkeep.forget();
        table.forget();
      };
      seat.onMoved(async () => start.run(), lost);
      await seat.start();
    },
    stop: async () => {
      await seat.stop();
      timers.stop();
      await table.stop();
    },
  };
}
