import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { osRandom } from '@symmetra/entropy';
import { SEAL_OVERHEAD_BYTES, openLmdbStore, openMemoryStore, sealStore } from '@symmetra/storage';
import type { Store } from '@symmetra/storage';
import { describe, expect, it } from 'vitest';
import { fromText, masterKey, refusal, temporaryDirectory, text } from './store-fixtures.js';

const random = osRandom().bytes;

async function stored(store: Store, key: string): Promise<Uint8Array> {
  return (await store.get(key))?.value ?? new Uint8Array(0);
}

describe('a sealed store', () => {
  it('lays values out as documented: format, instance nonce, counter, ciphertext, tag', async () => {
    const inner = openMemoryStore();
    const nonce = new Uint8Array(32).fill(0xa5);
    const store = sealStore(inner, masterKey(), () => nonce);
    for (let i = 0; i < 3; i++) await store.commit([{ key: `row/${i}`, value: text('value') }]);
    for (let i = 0; i < 3; i++) {
      const bytes = Buffer.from(await stored(inner, `row/${i}`));
      expect(bytes).toHaveLength(5 + SEAL_OVERHEAD_BYTES);
      expect(bytes[0]).toBe(1);
      expect(new Uint8Array(bytes.subarray(1, 33))).toEqual(nonce);
      expect(bytes.readBigUInt64BE(33)).toBe(BigInt(i));
    }
  });

  it('never seals twice under one nonce: not in one process, not after it was opened again', async () => {
    const inner = openMemoryStore();
    const heads = new Set<string>();
    for (let opening = 0; opening < 3; opening++) {
      const store = sealStore(inner, masterKey(), random);
      for (let i = 0; i < 20; i++) {
        await store.commit([{ key: 'a', value: text('the same value') }]);
        heads.add(Buffer.from((await stored(inner, 'a')).subarray(0, 41)).toString('hex'));
      }
    }
    expect(heads.size).toBe(60);
  });

  it('leaves no value readable on disk, only the row keys', async () => {
    const dir = await temporaryDirectory();
    const store = sealStore(await openLmdbStore(dir), masterKey(), random);
    await store.commit([{ key: 'device/alice', value: text('a well-known plaintext') }]);
    await store.close();
    const file = await readFile(join(dir, 'data.mdb'), 'latin1');
    expect(file).toContain('device/alice');
    expect(file).not.toContain('plaintext');
  });

  it('opens what earlier processes sealed, however many there were', async () => {
    const inner = openMemoryStore();
    for (let i = 0; i < 100; i++) {
      await sealStore(inner, masterKey(), random).commit([{ key: `row/${i}`, value: text(`${i}`) }]);
    }
    const store = sealStore(inner, masterKey(), random);
    for (let round = 0; round < 2; round++) {
      const rows = await store.scan('row/');
      expect(rows.map(({ key, row }) => `row/${fromText(row.value)}` === key)).toEqual(Array(100).fill(true));
    }
  });

  it('refuses another master key', async () => {
    const inner = openMemoryStore();
    await sealStore(inner, masterKey(1), random).commit([{ key: 'a', value: text('x') }]);
    const store = sealStore(inner, masterKey(2), random);
    expect(await refusal(store.get('a'))).toBe('STORE_SEAL_BROKEN');
    expect(await refusal(store.scan(''))).toBe('STORE_SEAL_BROKEN');
  });

  it('refuses a value with any byte changed, and one that was cut short or lengthened', async () => {
    const inner = openMemoryStore();
    const store = sealStore(inner, masterKey(), random);
    await store.commit([{ key: 'a', value: text('value') }]);
    const sealed = await stored(inner, 'a');
    for (let i = 0; i < sealed.length; i++) {
      const changed = sealed.map((byte, at) => (at === i ? byte ^ 1 : byte));
      await inner.commit([{ key: 'a', value: changed }]);
      expect(await refusal(store.get('a')), `byte ${i}`).toBe('STORE_SEAL_BROKEN');
    }
    for (let length = 0; length < sealed.length; length++) {
      await inner.commit([{ key: 'a', value: sealed.slice(0, length) }]);
      expect(await refusal(store.get('a')), `length ${length}`).toBe('STORE_SEAL_BROKEN');
    }
    await inner.commit([{ key: 'a', value: new Uint8Array([...sealed, 0]) }]);
    expect(await refusal(store.get('a'))).toBe('STORE_SEAL_BROKEN');
    await inner.commit([{ key: 'a', value: sealed }]);
    expect(fromText(await stored(store, 'a'))).toBe('value');
  });

  it('refuses a value that was moved to another row', async () => {
    const inner = openMemoryStore();
    const store = sealStore(inner, masterKey(), random);
    await store.commit([
      { key: 'device/alice', value: text('x') },
      { key: 'device/mallory', value: text('y') },
    ]);
    await inner.commit([{ key: 'device/alice', value: await stored(inner, 'device/mallory') }]);
    expect(await refusal(store.get('device/alice'))).toBe('STORE_SEAL_BROKEN');
    expect(fromText(await stored(store, 'device/mallory'))).toBe('y');
  });

  it('does not wipe the master key that it was lent', async () => {
    const key = masterKey();
    const store = sealStore(openMemoryStore(), key, random);
    await store.commit([{ key: 'a', value: text('x') }]);
    await store.close();
    expect(key.bytes).toEqual(new Uint8Array(32).fill(1));
  });
});
