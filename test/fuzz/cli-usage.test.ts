import { EXIT, Invocation, Output, runProgram } from '@symmetra/cli';
import { createLogger, systemClock } from '@symmetra/runtime';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from './effort.js';

const ID = 'a'.repeat(52);
const KEY = '0'.repeat(32);

const COMMANDS = [
  'up',
  'token create',
  'device enrol',
  'device status',
  'device ratchet',
  'device listen',
  'device forget',
  'key negotiate',
  'key list',
  'key renew',
  'key psk',
  'send',
  'group create',
  'group add',
  'group remove',
  'group rotate',
  'group leave',
  'group list',
  'group show',
  'group send',
  'group listen',
  'entropy test',
  'admin device list',
  'admin device show',
  'admin device revoke',
  'admin key revoke',
  'admin policy show',
  'admin policy set',
];

/** Runs a command line inside this process. */
async function run(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    write(text: string) {
      written[name] += text;
    },
  });
  const output = new Output(args.includes('--json'), sink('out'), sink('err'));
  const logger = createLogger({ level: 'silent', clock: systemClock });
  const invocation = new Invocation(output, systemClock, logger);
  const code = await runProgram(invocation, args, sink('out'));
  await invocation.end();
  return { code, ...written };
}

describe('help', () => {
  it.each(COMMANDS)('of "%s" names --json and shows an example', async (command) => {
    const { code, out, err } = await run([...command.split(' '), '--help']);
    expect({ code, err }).toEqual({ code: EXIT.done, err: '' });
    expect(out).toContain(`symmetra ${command}`);
    expect(out).toContain('--json');
    expect(out).toMatch(/Examples:\n {2}\$ symmetra /);
  });
});

describe('wrong usage', () => {
  it.each([
    { name: 'no command', args: '', says: 'a command is missing' },
    { name: 'half a command', args: 'device', says: 'a command is missing' },
    { name: 'an unknown command', args: 'explode', says: 'unknown command' },
    { name: 'an unknown command of a group', args: 'device explode', says: 'unknown command' },
    { name: 'an unknown option', args: 'up --explode', says: 'unknown option' },
    { name: 'a missing option', args: 'device status', says: '--state' },
    { name: 'a bad port', args: 'up --port 70000', says: '--port' },
    { name: 'a port that is no whole number', args: 'up --port 1e3', says: '--port' },
    { name: 'too few nodes', args: 'up --nodes 1', says: '--nodes' },
    { name: 'a threshold above the nodes', args: 'up --nodes 2 --threshold 3', says: 'threshold' },
    { name: 'an unknown log level', args: 'up --log-level loud', says: '--log-level' },
    { name: 'a bad duration', args: 'token create --data x --expires 1hour', says: '--expires' },
    { name: 'a token that is never valid', args: 'token create --data x --expires 0s', says: '--expires' },
    { name: 'no uses', args: 'token create --data x --uses 0', says: '--uses' },
    { name: 'a tag without a value', args: 'token create --data x --tag site', says: '--tag' },
    { name: 'a tag given twice', args: 'token create --data x --tag a=1 --tag a=2', says: '--tag' },
    { name: 'a peer that is no device id', args: 'key negotiate --state x --peer bob', says: '--peer' },
    { name: 'an unknown suite', args: 'device ratchet --state x --suite 4', says: '--suite' },
    { name: 'an unknown role', args: `key psk --state x --key ${KEY} --role peer --out y`, says: '--role' },
    { name: 'a key id that is none', args: 'key renew --state x --key K1', says: '--key' },
    { name: 'a group without members', args: 'group create --state x', says: '--members' },
    {
      name: 'members named twice over',
      args: `group add --state x --group ${KEY} --members ${ID} --members-file y`,
      says: '--members-file',
    },
    {
      name: 'a member that is no device id',
      args: `group create --state x --members ${ID},bob`,
      says: '--members',
    },
    { name: 'a group id that is none', args: 'group show --state x --group g1', says: '--group' },
    {
      name: 'a bound above an hour',
      args: 'admin policy set --data x --group-bound 2h',
      says: '--group-bound',
    },
    { name: 'a missing argument', args: `send --state x --peer ${ID}`, says: 'file' },
    { name: 'one argument too many', args: `send --state x --peer ${ID} a b`, says: 'too many arguments' },
    { name: 'a device that is no device id', args: 'admin device show bob --data x', says: 'device id' },
    { name: 'a policy without a change', args: 'admin policy set --data x', says: 'nothing to change' },
    {
      name: 'a suite list with a foreign suite',
      args: 'admin policy set --data x --suites 1,9',
      says: '--suites',
    },
  ])('of $name is told with the code USAGE', async ({ args, says }) => {
    const { code, out, err } = await run(args.split(' ').filter((word) => word !== ''));
    expect({ code, out }).toEqual({ code: EXIT.usage, out: '' });
    expect(err).toMatch(/^USAGE: [^\n]+\n$/);
    expect(err).toContain(says);
  });

  it('never goes on, whatever the words are', async () => {
    const word = fc.oneof(
      fc.constantFrom('device', 'key', 'admin', '--', '-', '--state', '--peer', '--json', ID, KEY, '@x', ''),
      fc.string({ maxLength: 12 }),
    );
    const foreign = fc.constantFrom('--unknown', '--port=', '--wait=x', '--length=3');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...COMMANDS),
        fc.array(word, { maxLength: 5 }),
        foreign,
        async (...parts) => {
          const [command, words, last] = parts;
          const args = [
            ...command.split(' '),
            last,
            ...words.filter((one) => !/^-(?:-help|h|-version)/.test(one)),
          ];
          const { code, out, err } = await run(args);
          expect({ code, out }).toEqual({ code: EXIT.usage, out: '' });
          expect(err.trimEnd().split('\n')).toHaveLength(1);
        },
      ),
      effort(200),
    );
  });
});
