import { SymmetraError } from '@symmetra/crypto';
import { readWhole } from '../bounded-input.js';
import { option } from '../command.js';
import { UsageError } from '../exit.js';
import { deviceIdList, isDeviceId, path } from '../values.js';

/** Members as the command line names them. */
export interface MemberOptions {
  readonly members?: readonly string[];
  readonly membersFile?: string;
}

/** More than the ids of the largest group have, one a line. */
const MAX_BYTES = 1024 * 1024;

/** What {@link MemberOptions} are called on the command line. */
export const memberOptions = () => [
  option('--members <ids>', 'device ids between commas', deviceIdList),
  option('--members-file <file>', 'a file with device ids, one a line', path),
];

/**
 * The device ids that the command line names.
 * @throws USAGE unless exactly one of the options is there; BAD_PEER with the line of what is no device id; TOO_LONG
 */
export async function readMembers({ members, membersFile }: MemberOptions): Promise<readonly string[]> {
  if ((members === undefined) === (membersFile === undefined)) {
    throw new UsageError('the members are named by --members or by --members-file');
  }
  if (membersFile === undefined) return members ?? [];
  const lines = (await readWhole(membersFile, MAX_BYTES)).toString('utf8').split('\n');
  const named = lines.map((line) => line.trim());
  const wrong = named.findIndex((line) => line !== '' && !isDeviceId(line));
  if (wrong >= 0) {
    throw new SymmetraError('BAD_PEER', `line ${wrong + 1} of ${membersFile} is no device id`);
  }
  return named.filter((line) => line !== '');
}
