import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SymmetraError, fromBase32 } from '@symmetra/crypto';
import { createLogger, systemClock } from '@symmetra/runtime';
import { enrol, openDevice } from '@symmetra/sdk';
import type { Change, Store } from '@symmetra/storage';
import { systemPorts } from '../../packages/sdk/src/ports.js';
import type { DevicePorts } from '../../packages/sdk/src/ports.js';
import { Negotiations } from '../../packages/sdk/src/pairwise/negotiations.js';
import { Fleet, agree, next, until } from './sdk-fleet.js';

/** Whether this is the commit to hold. */
type Which = (changes: readonly Change[]) => boolean;

const puts = (changes: readonly Change[], prefix: string): boolean =>
  changes.some(({ key, value }) => key.startsWith(prefix) && value !== null);
const drops = (changes: readonly Change[], prefix: string): boolean =>
  changes.some(({ key, value }) => key.startsWith(prefix) && value === null);

/** The disk of a device that stops at one commit, and at all behind it, until it is let go on. */
class SlowDisk {
  readonly ports: DevicePorts = {
    ...systemPorts,
    openState: async (options) => {
      const directory = await systemPorts.openState(options);
      this.#store = directory.store;
      return { ...directory, store: this.#slow(directory.store) };
    },
  };
  #store: Store | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #full: Which | undefined;
  #stop: { readonly which: Which; readonly reached: (release: () => void) => void } | undefined;

  /** Stops at the next commit of a kind. @returns when it has stopped, what lets it go on */
  async hold(which: Which): Promise<() => void> {
    return new Promise((reached) => {
      this.#stop = { which, reached };
    });
  }

  /** There is no room for the commits of a kind until what is returned is called. */
  fill(which: Which): () => void {
    this.#full = which;
    return () => {
      this.#full = undefined;
    };
  }

  /** The rows of keys, and of negotiations that may become keys. */
  async keyRows(): Promise<readonly string[]> {
    const prefixes = ['key/', 'run/', 'response/', 'continuity-initiator/', 'continuity-responder/'];
    const found = await Promise.all(prefixes.map(async (prefix) => this.#store?.scan(prefix) ?? []));
    return found.flat().map(({ key }) => key);
  }

  #slow(store: Store): Store {
    return {
      get: async (key) => store.get(key),
      scan: async (prefix, options) => store.scan(prefix, options),
      close: async () => store.close(),
      commit: async (changes) => {
        const outcome = this.#last.then(async () => {
          if (this.#full?.(changes) === true) throw new SymmetraError('DISK_FULL', 'there is no room left');
          const stop = this.#stop;
          if (stop?.which(changes) === true) {
            this.#stop = undefined;
            await new Promise<void>((release) => {
              stop.reached(release);
            });
          }
          return store.commit(changes);
        });
        this.#last = outcome.catch(() => undefined);
        return outcome;
      },
    };
  }
}

/** What a device is writing: as the one that answers, or as the one that begins. */
const WRITES: readonly (readonly [what: string, side: 'answers' | 'begins', which: Which])[] = [
  ['its response', 'answers', (changes) => puts(changes, 'response/')],
  ['its key', 'answers', (changes) => puts(changes, 'key/') && drops(changes, 'response/')],
  ['its request', 'begins', (changes) => puts(changes, 'run/')],
  ['its confirmation', 'begins', (changes) => puts(changes, 'run/') && puts(changes, 'continuity-')],
  ['its key', 'begins', (changes) => puts(changes, 'key/') && drops(changes, 'run/')],
];

let fleet: Fleet;

beforeAll(async () => {
  fleet = await Fleet.start();
});

afterAll(async () => {
  await fleet.stop();
});

describe('nothing is left of a negotiation whose peer is shut out while this device writes', () => {
  let meetings = 0;

  /** Two devices that have a key; the disk of the first stops while they make another key. */
  async function meet(side: 'answers' | 'begins', which: Which) {
    meetings += 1;
    const names = [`device ${meetings}`, `peer ${meetings}`] as const;
    const logged: string[] = [];
    const output = { write: (line: string) => logged.push(line) };
    const logger = createLogger({ level: 'warn', clock: systemClock, output });
    const disk = new SlowDisk();
    const options = { state: fleet.state(names[0]), logger };
    const device = await enrol({ ...options, token: await fleet.token() }, disk.ports);
    await device.connect();
    const peer = await fleet.join(names[1]);
    await agree(device, peer);
    const stopped = disk.hold(which);
    const begun = side === 'begins' ? device.negotiate(peer.id) : peer.negotiate(device.id, { wait: 0 });
    begun.catch(() => undefined);
    const release = await stopped;
    return { device, peer, release, begun, disk, logged, options };
  }

  type Meeting = Awaited<ReturnType<typeof meet>>;

  async function checkNothingLeft({ device, peer, disk, logged, options }: Meeting): Promise<void> {
    expect(device.keys()).toEqual([]);
    expect(await disk.keyRows()).toEqual([]);
    await device.close();
    await peer.close();
    const again = await openDevice(options);
    expect(again.keys()).toEqual([]);
    await again.close();
    expect(logged.filter((line) => line.includes('SECRET_WIPED'))).toEqual([]);
  }

  test.each(WRITES)('PAIR-9: %s, as the one that %s, and forgets the peer', async (_, side, which) => {
    const meeting = await meet(side, which);
    const forgotten = meeting.device.forget(meeting.peer.id);
    meeting.release();
    await expect(forgotten).resolves.toBeUndefined();
    await checkNothingLeft(meeting);
  });

  test.each(WRITES)('CTL-4: %s, as the one that %s, and the peer is revoked', async (_, side, which) => {
    const meeting = await meet(side, which);
    const { device, peer } = meeting;
    const abandon = vi.spyOn(Negotiations.prototype, 'abandon');
    const told = next(device, 'revoked');
    const deviceId = fromBase32(peer.id);
    await fleet.network.administrator.submit({ kind: 'device-revoke', deviceId, reason: 'stolen' });
    const hasBegun = () => abandon.mock.calls.some(([, { code }]) => code === 'PEER_REVOKED');
    await until(hasBegun, 'the device acts on the revocation');
    abandon.mockRestore();
    meeting.release();
    expect(await told).toMatchObject({ device: peer.id, keyIds: [expect.any(String), expect.any(String)] });
    await checkNothingLeft(meeting);
  });

  test('PAIR-2: a request that is being written when its peer is forgotten is never sent', async () => {
    const meeting = await meet('begins', (changes) => puts(changes, 'run/'));
    const forgotten = meeting.device.forget(meeting.peer.id);
    meeting.release();
    await expect(meeting.begun).rejects.toMatchObject({ code: 'PEER_FORGOTTEN' });
    await forgotten;
    await meeting.device.close();
  });
});

describe('what could not be erased for want of room', () => {
  /** A device that can not erase a key, and has been told to forget the peer, or that the peer is revoked. */
  async function shutOut(tell: 'forget' | 'revoke') {
    const disk = new SlowDisk();
    const options = { state: fleet.state(`full ${tell}`) };
    const device = await enrol({ ...options, token: await fleet.token() }, disk.ports);
    await device.connect();
    const peer = await fleet.join(`peer of full ${tell}`);
    const { ours } = await agree(device, peer);
    const makeRoom = disk.fill(
      (changes) => drops(changes, 'key/') || drops(changes, 'continuity-initiator/'),
    );
    if (tell === 'forget') {
      await expect(device.forget(peer.id)).rejects.toMatchObject({ code: 'DISK_FULL' });
    } else {
      const told = next(device, 'revoked');
      const deviceId = fromBase32(peer.id);
      await fleet.network.administrator.submit({ kind: 'device-revoke', deviceId, reason: 'stolen' });
      await told;
    }
    expect(device.keys()).toEqual([]);
    const code = tell === 'forget' ? 'PEER_FORGOTTEN' : 'PEER_REVOKED';
    expect(() => device.key(ours.keyId)).toThrow(expect.objectContaining({ code }));
    expect(await disk.keyRows()).not.toEqual([]);
    makeRoom();
    return { device, peer, disk, options };
  }

  test('goes with the next thing that is written', async () => {
    for (const tell of ['forget', 'revoke'] as const) {
      const { device, disk, options } = await shutOut(tell);
      await device.ratchet();
      expect(await disk.keyRows()).toEqual([]);
      await device.close();
      const again = await openDevice(options);
      expect(again.keys()).toEqual([]);
      await again.close();
    }
  });
});
