import { MAX_GROUP_BOUND_SECONDS, MAX_MEMBERS } from '@symmetra/protocol';
import type { Policy } from '@symmetra/protocol';
import type { Command } from 'commander';
import { openAdministrator } from '../administrator/administrator.js';
import { receiptSentences, requireReceipts } from '../administrator/receipts.js';
import { addCommand, addGroup, option, required } from '../command.js';
import { UsageError } from '../exit.js';
import type { Invocation } from '../invocation.js';
import { columns } from '../output.js';
import { durationUpTo, nameList, oneOf, path, positiveDuration, suiteList, wholeNumber } from '../values.js';

interface ShowOptions {
  readonly data: string;
}

interface SetOptions extends ShowOptions {
  readonly suites?: readonly number[];
  readonly purposes?: readonly string[];
  readonly maxLifetime?: number;
  readonly maxUses?: number;
  readonly firstContact?: 'all' | 'threshold';
  readonly directKem?: 'required' | 'optional';
  readonly groupMembers?: number;
  readonly groupBound?: number;
}

const MAX_U32 = 2 ** 32 - 1;

export function addPolicyCommands(admin: Command, invocation: Invocation): void {
  const policy = addGroup(admin, 'policy', 'what the network allows');
  const data = () => required(option('--data <dir>', 'the directory of the network, with admin.key', path));
  addCommand<ShowOptions>(policy, invocation, {
    name: 'show',
    summary: 'show the policy in force',
    options: [data()],
    examples: ['symmetra admin policy show --data .symmetra'],
    run: show,
  });
  addCommand<SetOptions>(policy, invocation, {
    name: 'set',
    summary: 'change the policy; what is not named stays as it is',
    details: 'A policy takes effect at every node at once, also for sessions that are open.',
    options: [
      data(),
      option('--suites <list>', 'the suites that may be used, such as 1,3', suiteList),
      option('--purposes <list>', 'the purposes that keys may have, between commas; * for any', nameList),
      option('--max-lifetime <duration>', 'how long a key may live', positiveDuration),
      option('--max-uses <count>', 'how often a key may be used; 0: without limit', wholeNumber(0, MAX_U32)),
      option(
        '--first-contact <nodes>',
        'all: two devices that meet for the first time need every node; threshold: k nodes',
        oneOf(['all', 'threshold'] as const),
      ),
      option(
        '--direct-kem <rule>',
        'required: every key also takes a key exchange between the two devices; optional: they may leave it out',
        oneOf(['required', 'optional'] as const),
      ),
      option(
        '--group-members <count>',
        `the most members that a group may have, up to ${MAX_MEMBERS}; 0: no groups`,
        wholeNumber(0, MAX_MEMBERS),
      ),
      option(
        '--group-bound <duration>',
        'how soon a device that left or was revoked is out of its groups; at most 1h',
        durationUpTo(MAX_GROUP_BOUND_SECONDS * 1000, '1h'),
      ),
    ],
    examples: [
      'symmetra admin policy set --data .symmetra --suites 2',
      'symmetra admin policy set --data .symmetra --first-contact all --max-lifetime 1d',
    ],
    run: set,
  });
}

async function show(invocation: Invocation, { data }: ShowOptions): Promise<void> {
  const { log } = await openAdministrator(invocation, data, true);
  const { revision, policy } = await log.policy();
  invocation.output.result({ revision, policy: presented(policy) }, [
    `policy of event ${revision}`,
    ...policySentences(policy),
  ]);
}

async function set(invocation: Invocation, options: SetOptions): Promise<void> {
  const { data, ...changes } = options;
  if (Object.keys(changes).filter((key) => key !== 'json').length === 0) {
    throw new UsageError('nothing to change is named; --help lists what can be');
  }
  const { log, descriptor } = await openAdministrator(invocation, data);
  const foreign = options.suites?.find((id) => !descriptor.suites.includes(id));
  if (foreign !== undefined) throw new UsageError(`the network has no suite ${foreign}`);
  const { policy: before } = await log.policy();
  const policy = changed(before, options);
  const appended = await log.append({ kind: 'policy', policy });
  invocation.output.result(
    { revision: appended.number, policy: presented(policy), receipts: appended.receipts },
    [`policy of event ${appended.number}`, ...policySentences(policy), ...receiptSentences(appended)],
  );
  requireReceipts(appended, descriptor.nodes.length);
}

function changed(before: Policy, options: SetOptions): Policy {
  const { maximum } = before;
  return {
    ...before,
    allowedSuites: options.suites ?? before.allowedSuites,
    purposes: options.purposes ?? before.purposes,
    maximum: {
      lifetimeSeconds:
        options.maxLifetime === undefined
          ? maximum.lifetimeSeconds
          : Math.min(MAX_U32, Math.ceil(options.maxLifetime / 1000)),
      uses: options.maxUses ?? maximum.uses,
    },
    firstContactAll:
      options.firstContact === undefined ? before.firstContactAll : options.firstContact === 'all',
    requireDirectKem:
      options.directKem === undefined ? before.requireDirectKem : options.directKem === 'required',
    groupMembers: options.groupMembers ?? before.groupMembers,
    groupBoundSeconds:
      options.groupBound === undefined ? before.groupBoundSeconds : Math.ceil(options.groupBound / 1000),
  };
}

/** The policy in the words of the options that set it. */
function presented(policy: Policy): object {
  return {
    suites: policy.allowedSuites,
    purposes: policy.purposes,
    maxLifetimeSeconds: policy.maximum.lifetimeSeconds,
    maxUses: policy.maximum.uses,
    firstContact: policy.firstContactAll ? 'all' : 'threshold',
    directKem: policy.requireDirectKem ? 'required' : 'optional',
    stages: policy.stages,
    keyStages: policy.keyStages,
    groupMembers: policy.groupMembers,
    groupBoundSeconds: policy.groupBoundSeconds,
  };
}

function policySentences(policy: Policy): string[] {
  const rows = Object.entries(presented(policy)) as [string, readonly unknown[] | string | number][];
  return columns(
    rows.map(([key, value]) => [`  ${key}`, typeof value === 'object' ? value.join(', ') : `${value}`]),
  );
}
