import { Secret, SymmetraError } from '@symmetra/crypto';
import { encodeState } from '@symmetra/protocol';
import { openMemoryStore, sealStore } from '@symmetra/storage';
import { Prng } from '@symmetra/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogRows } from '../../packages/node/src/control/log-rows.js';
import { loadIdentity, readIdentity } from '../../packages/node/src/identity/node-identity.js';
import { PRESENCE_ROWS, logRow, presenceRow } from '../../packages/node/src/rows/row-keys.js';
import { effort } from './effort.js';
import { mutated } from './protocol-corpus.js';

const RUNS = 200;

test('a row of a node that was damaged in its store is never taken for another', async () => {
  const prng = new Prng('sealed rows');
  const random = (length: number): Uint8Array => prng.bytes(length);
  const rows = openMemoryStore();
  const store = sealStore(rows, Secret.of('masterKey', prng.bytes(32)), random);
  await loadIdentity(store, 'bern', random);
  const signed = { event: prng.bytes(90), signatures: [] };
  const presence = { home: 'bern', addresses: ['127.0.0.1:7400'] };
  await store.commit([
    { key: logRow(1), value: encodeState(signed) },
    { key: presenceRow('aa'), value: encodeState(presence) },
  ]);
  const all = await rows.scan('');
  const readers = [
    async () => readIdentity(store, 'bern'),
    async () => new LogRows(store).range(1, 9),
    async () => store.scan(PRESENCE_ROWS),
  ];
  const outcomes = async (): Promise<readonly string[]> =>
    Promise.all(
      readers.map(async (read) => {
        try {
          await read();
          return 'read';
        } catch (error) {
          if (error instanceof SymmetraError) return error.code;
          throw error;
        }
      }),
    );
  expect(await outcomes()).toEqual(['read', 'read', 'read']);

  const damage = fc.constantFrom(...all).chain(({ key, row: { value } }) => {
    const bytes = fc.oneof(mutated([value]), ...all.map(({ row }) => fc.constant(row.value)));
    return bytes
      .filter((other) => Buffer.compare(other, value) !== 0)
      .map((other) => ({ key, value, other }));
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ key, value, other }) => {
      await rows.commit([{ key, value: other }]);
      const told = await outcomes();
      expect(told.toSorted()).toEqual(['STORE_SEAL_BROKEN', 'read', 'read']);
      await rows.commit([{ key, value }]);
    }),
    effort(RUNS),
  );
  await store.close();
});
