// `npm start`: a network of three nodes and two devices on this machine, which agree on a key and use it. Runs on a
// fresh checkout; a later run goes on with the same network and the same devices.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CommandFailure, Programs } from './programs.mjs';
import { ensureBuilt, ensureInstalled, root } from './setup.mjs';

/** @typedef {import('./programs.mjs').Report} Report */
/** @typedef {import('./programs.mjs').Running} Running */
/** @typedef {{ name: string, state: string, inbox: string, id: string, listener: Running }} Listening */

const USAGE = `Usage: npm start -- [--port PORT] [--data DIR]

  --port PORT  node i listens on PORT + i (default: 7400, or the ports of the last start; also: PORT=...);
               0: on free ports
  --data DIR   where the network and the devices live (default: .symmetra)`;

const OTHER_PORTS = 'Choose other ports: npm start -- --port 7500, or --port 0 for free ones.';
const NODES = 3;
const THRESHOLD = 2;
const PARENT_CHECK_MS = 500;
const FILE_NAME = 'hello-from-alice.txt';

const programs = new Programs();
let interrupted = false;

/** @param {string} text */
const say = (text) => console.log(text);

/**
 * One step: says what is done, does it, says how long it took.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
async function step(title, act) {
  const began = performance.now();
  say(`- ${title}`);
  const outcome = await act();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  say(`  done in ${seconds} s`);
  return outcome;
}

/** @returns {{ port: number | undefined, data: string }} */
function readArguments() {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, data: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    say(USAGE);
    process.exit(0);
  }
  const text = values.port ?? process.env['PORT'];
  const port = text === undefined ? undefined : Number(text);
  if (port !== undefined && !(/^\d+$/.test(text ?? '') && port <= 65_535 - NODES)) {
    throw new TypeError(`the port must be a number from 0 to ${65_535 - NODES}`);
  }
  return { port, data: resolve(root, values.data ?? '.symmetra') };
}

/**
 * @param {string} data
 * @param {number | undefined} port
 */
async function startNetwork(data, port) {
  const network = programs.start([
    'up',
    `--nodes=${NODES}`,
    `--threshold=${THRESHOLD}`,
    `--data=${data}`,
    ...(port === undefined ? [] : ['--port', `${port}`]),
  ]);
  try {
    const up = await network.report('up');
    for (const { id, address } of /** @type {{ id: string, address: string }[]} */ (up['nodes'])) {
      say(`  ${id} on ${address}`);
    }
    const sources = /** @type {{ name: string, simulated: boolean }[]} */ (up['entropy']);
    const origins = sources.map(({ name, simulated }) => `${name}${simulated ? ' (simulated)' : ''}`);
    say(`  their randomness comes from: ${origins.join(', ')}`);
  } catch (error) {
    if (error instanceof CommandFailure && error.code === 'PORT_IN_USE') {
      throw new Error(`${error.message}\n${OTHER_PORTS}`, { cause: error });
    }
    throw error;
  }
  return network;
}

/**
 * Enrols a device unless it is enrolled. The token rests in a file (0600) until the device has used it, so that an
 * enrolment that was cut short goes on.
 * @param {string} data
 * @param {string} name
 * @returns {Promise<string>} its state directory
 */
async function ensureEnrolled(data, name) {
  const devices = join(data, 'devices');
  const state = join(devices, name);
  const tokenFile = join(devices, `${name}.token`);
  await mkdir(devices, { recursive: true, mode: 0o700 });
  if (existsSync(join(state, 'state.json')) && !existsSync(tokenFile)) {
    say(`  ${name} is enrolled since an earlier start`);
    return state;
  }
  const enrol = async () => {
    const token = await readFile(tokenFile, 'utf8');
    return programs.run(['device', 'enrol', '--token', '-', '--state', state, '--name', name], token);
  };
  const { deviceId } = existsSync(tokenFile)
    ? await enrol().catch(async (/** @type {unknown} */ error) => {
        if (!(error instanceof CommandFailure && error.code.startsWith('TOKEN_'))) throw error;
        await makeToken(data, tokenFile);
        return enrol();
      })
    : await makeToken(data, tokenFile).then(enrol);
  await rm(tokenFile);
  say(`  ${name} is ${String(deviceId)}`);
  return state;
}

/**
 * @param {string} data
 * @param {string} file replaced by a new token
 */
async function makeToken(data, file) {
  const { token } = await programs.run(['token', 'create', '--data', data, '--expires', '1d']);
  await writeFile(`${file}.new`, `${String(token)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/**
 * @param {string} data
 * @param {string} name
 * @param {string} state
 * @returns {Promise<Listening>}
 */
async function listen(data, name, state) {
  const inbox = join(data, 'received', name);
  const listener = programs.start(['device', 'listen', '--state', state, '--out', inbox]);
  const { deviceId, host, port, home } = await listener
    .report('listening')
    .catch((/** @type {unknown} */ error) => {
      if (!(error instanceof CommandFailure && error.code === 'DEVICE_REVOKED')) throw error;
      throw new Error(`${name} is revoked. To enrol it anew as another device, remove ${shown(state)}.`, {
        cause: error,
      });
    });
  say(`  ${name} listens on ${String(host)}:${String(port)}, home ${String(home)}`);
  return { name, state, inbox, id: String(deviceId), listener };
}

/**
 * @param {Listening} alice
 * @param {Listening} bob
 */
async function agree(alice, bob) {
  const key = await programs.run([
    'key',
    'negotiate',
    '--state',
    alice.state,
    '--peer',
    bob.id,
    '--purpose',
    'demo',
  ]);
  const seen = await bob.listener.report('key', (event) => event['keyId'] === key['keyId']);
  say(`  key                  ${String(key['keyId'])}`);
  say(`  alice's fingerprint  ${grouped(key['fingerprint'])}`);
  say(`  bob's fingerprint    ${grouped(seen['fingerprint'])}`);
  say(`  nodes ${/** @type {string[]} */ (key['nodes']).join(', ')}; no node knows the key`);
  say(
    `  agreed in ${String(key['ms'])} ms, confirmed ${key['direct'] === true ? 'directly' : 'through the home nodes'}`,
  );
  if (key['fingerprint'] !== seen['fingerprint']) throw new Error('the two devices hold different keys');
}

/**
 * @param {string} data
 * @param {Listening} alice
 * @param {Listening} bob
 */
async function sendFile(data, alice, bob) {
  const source = join(data, FILE_NAME);
  await rm(join(bob.inbox, FILE_NAME), { force: true });
  await writeFile(source, `Hello Bob!\n${randomBytes(96 * 1024).toString('base64')}\n`, { mode: 0o600 });
  const { sha256 } = await programs.run(['send', '--state', alice.state, '--peer', bob.id, source]);
  const received = await bob.listener.report('file', (event) => event['sha256'] === sha256);
  const path = String(received['path']);
  const [sent, arrived] = await Promise.all([readFile(source), readFile(path)]);
  await rm(source);
  if (!sent.equals(arrived)) throw new Error('the file that arrived is not the file that was sent');
  say(`  ${sent.length} bytes, the same at both ends: ${shown(path)}`);
}

/** @param {unknown} fingerprint */
function grouped(fingerprint) {
  return (String(fingerprint).match(/.{1,4}/g) ?? []).join(' ');
}

/** @param {string} path */
function shown(path) {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}

/**
 * @param {string} data
 * @param {Listening} alice
 * @param {Listening} bob
 */
function sayHowToGoOn(data, alice, bob) {
  const symmetra = 'npx --no-install symmetra';
  say(`
Everything is up. Go on in another terminal:

  ${symmetra} device status --state ${shown(alice.state)}
  ${symmetra} key negotiate --state ${shown(alice.state)} --peer ${bob.id}
  ${symmetra} group create --state ${shown(alice.state)} --members ${bob.id}
  ${symmetra} key list --state ${shown(bob.state)}
  ${symmetra} send --state ${shown(alice.state)} --peer ${bob.id} README.md
  ${symmetra} token create --data ${shown(data)}
  ${symmetra} admin device list --data ${shown(data)}
  ${symmetra} admin device revoke ${bob.id} --data ${shown(data)}

Log: ${shown(join(data, 'symmetra.log'))}. Ctrl-C ends everything; the next \`npm start\` goes on from here.`);
}

/** @returns {Promise<never>} rejected when one of the children ends that should stay @param {readonly Running[]} children */
async function untilOneEnds(children) {
  const code = await Promise.race(children.map((child) => child.ended));
  throw new Error(`a part ended by itself, with exit code ${code ?? 'none'}`);
}

async function main() {
  const { port, data } = readArguments();
  say('Symmetra: three nodes, two devices, one key that no node knows.');
  await ensureInstalled();
  await step('building what has changed', ensureBuilt);
  if (interrupted) return;
  const network = await step('starting three nodes, any two of which suffice', () =>
    startNetwork(data, port),
  );
  const states = await step('enrolling the devices alice and bob', async () => [
    await ensureEnrolled(data, 'alice'),
    await ensureEnrolled(data, 'bob'),
  ]);
  const [alice, bob] = /** @type {[Listening, Listening]} */ (
    await step('starting the devices, each a process of its own', () =>
      Promise.all(['alice', 'bob'].map((name, i) => listen(data, name, states[i] ?? ''))),
    )
  );
  const running = untilOneEnds([network, alice.listener, bob.listener]);
  const demonstrate = async () => {
    await step('agreeing on a key: alice asks, bob answers', () => agree(alice, bob));
    await step('sending a file from alice to bob under that key', () => sendFile(data, alice, bob));
    sayHowToGoOn(data, alice, bob);
  };
  await Promise.race([demonstrate(), running]);
  await running;
}

/** @param {NodeJS.Signals} signal */
const onSignal = (signal) => {
  if (interrupted) return;
  interrupted = true;
  say(`\n${signal}: ending the devices, then the nodes`);
  void programs.stop();
};
process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);

// npm hands a signal on to its shell, which dies of it without telling anybody: then this process has lost its parent.
const { ppid } = process;
const watch = setInterval(() => {
  if (process.env['npm_lifecycle_event'] !== undefined && process.ppid !== ppid) onSignal('SIGTERM');
}, PARENT_CHECK_MS);
watch.unref();
// Whoever read the output may be gone before the end.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

try {
  await main();
} catch (error) {
  if (!interrupted) {
    console.error(`npm start failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
} finally {
  await programs.stop();
  if (interrupted) say('ended');
}
