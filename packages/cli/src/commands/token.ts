import { MAX_TOKEN_USES } from '@symmetra/protocol';
import { toHex } from '@symmetra/crypto';
import type { Command } from 'commander';
import { openAdministrator } from '../administrator/administrator.js';
import { missingReceipts, receiptSentences, requireReceipts } from '../administrator/receipts.js';
import { issueToken } from '../administrator/token-issue.js';
import { addCommand, addGroup, option, required } from '../command.js';
import type { Invocation } from '../invocation.js';
import { name, path, positiveDuration, tag, wholeNumber } from '../values.js';

const HOUR_MS = 3_600_000;

interface CreateOptions {
  readonly data: string;
  readonly expires?: number;
  readonly uses?: number;
  readonly tag?: Readonly<Record<string, string>>;
  readonly account?: string;
}

export function addTokenCommands(program: Command, invocation: Invocation): void {
  const token = addGroup(program, 'token', 'enrolment tokens');
  addCommand<CreateOptions>(token, invocation, {
    name: 'create',
    summary: 'make a token with which devices enrol',
    details:
      'The token is printed once and kept nowhere. Whoever has it can enrol a device, so hand it over like a ' +
      'password. No node ever sees it: each gets a part of its own, sealed.',
    options: [
      required(option('--data <dir>', 'the directory of the network, with admin.key', path)),
      option('--expires <duration>', 'how long it can be used (default: 1h)', positiveDuration),
      option(
        '--uses <count>',
        'how many devices can enrol with it (default: 1)',
        wholeNumber(1, MAX_TOKEN_USES),
      ),
      option('--tag <name=value>', 'a tag for the devices; may be given several times', tag),
      option('--account <name>', 'the account of the devices (default: default)', name),
    ],
    examples: [
      'symmetra token create --data .symmetra',
      'symmetra token create --data .symmetra --expires 7d --uses 100 --tag site=north --tag line=4',
      'symmetra token create --data .symmetra --json',
    ],
    run: create,
  });
}

async function create(invocation: Invocation, options: CreateOptions): Promise<void> {
  const { output, clock } = invocation;
  const administrator = await openAdministrator(invocation, options.data);
  const issued = issueToken(administrator.descriptor, administrator.rootPublicKey, {
    account: options.account ?? 'default',
    uses: options.uses ?? 1,
    expiresMs: clock.now() + (options.expires ?? HOUR_MS),
    tags: options.tag ?? {},
  });
  const appended = await administrator.log.append(issued.body);
  const expires = new Date(issued.expiresMs).toISOString();
  output.result(
    { token: issued.text, tokenId: toHex(issued.tokenId), expires, receipts: appended.receipts },
    [issued.text],
  );
  output.progress(
    [
      `token ${toHex(issued.tokenId)}: ${options.uses ?? 1} use(s), until ${expires}`,
      ...receiptSentences(appended),
    ].join('\n'),
  );
  requireReceipts(appended, administrator.descriptor.threshold);
  const missing = missingReceipts(appended);
  if (missing !== undefined) output.warning(missing);
}
