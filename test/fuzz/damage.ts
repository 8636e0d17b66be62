import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';

/** What happens to one file of a directory. */
export type Damage =
  | { readonly kind: 'put'; readonly file: string; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly file: string; readonly at: number }
  | { readonly kind: 'replace'; readonly file: string; readonly bytes: Uint8Array }
  | { readonly kind: 'append'; readonly file: string; readonly bytes: Uint8Array }
  | { readonly kind: 'remove'; readonly file: string }
  | { readonly kind: 'directory'; readonly file: string };

const PAGE_BYTES = 4096;

/** Where bytes are put: anywhere, or in the heads of an LMDB file's pages, where it keeps its structure. */
const anyPlace = fc.oneof(
  fc.nat(),
  fc.tuple(fc.nat({ max: 24 }), fc.nat({ max: 199 })).map(([page, at]) => page * PAGE_BYTES + at),
);
/** Any bytes, or the numbers on which a reader stumbles. */
const anyBytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 16 }),
  fc
    .constantFrom([0], [1], [0xff], [0xff, 0xff], [0, 0], [0xf0, 0x0f], [0xff, 0xff, 0xff, 0x7f])
    .map((bytes) => Uint8Array.from(bytes)),
);

/** One to three damages to the files of a directory. */
export function damages(files: readonly string[]): fc.Arbitrary<readonly Damage[]> {
  const file = fc.constantFrom(...files);
  const one: fc.Arbitrary<Damage> = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('put' as const), file, at: anyPlace, bytes: anyBytes }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), file, at: fc.nat() }) },
    fc.record({ kind: fc.constant('replace' as const), file, bytes: fc.uint8Array({ maxLength: 5000 }) }),
    fc.record({ kind: fc.constant('append' as const), file, bytes: anyBytes }),
    fc.record({ kind: fc.constant('remove' as const), file }),
    fc.record({ kind: fc.constant('directory' as const), file }),
  );
  return fc.array(one, { minLength: 1, maxLength: 3 });
}

/** Does it. A file that an earlier damage made something else stays so. */
export async function inflict(dir: string, damage: Damage): Promise<void> {
  const path = join(dir, damage.file);
  const before = await readFile(path).catch(() => undefined);
  if (before === undefined) return;
  switch (damage.kind) {
    case 'put': {
      const at = damage.at % (before.length + 1);
      const after = Buffer.alloc(Math.max(before.length, at + damage.bytes.length));
      before.copy(after);
      after.set(damage.bytes, at);
      await writeFile(path, after);
      break;
    }
    case 'truncate':
      await truncate(path, damage.at % (before.length + 1));
      break;
    case 'replace':
      await writeFile(path, damage.bytes);
      break;
    case 'append':
      await writeFile(path, damage.bytes, { flag: 'a' });
      break;
    case 'remove':
      await rm(path);
      break;
    case 'directory':
      await rm(path);
      await mkdir(path);
      break;
  }
}
