import { z } from 'zod';

/** What stands below a setting that may be left out or has a default. */
export function bare(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return bare(schema.unwrap());
  }
  return schema;
}

/** The settings of a group by name; those of all its forms when it has several; undefined when it is no group. */
export function settingsOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  const group = bare(schema);
  if (group instanceof z.ZodObject) return group.shape;
  if (group instanceof z.ZodDiscriminatedUnion) {
    return Object.assign({}, ...group.options.map(settingsOf)) as Readonly<Record<string, unknown>>;
  }
  return undefined;
}

/** The settings that may stand at a path. */
export function settingsAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  const [first, ...rest] = path;
  const group = bare(schema);
  const settings = settingsOf(group);
  if (first === undefined) return Object.keys(settings ?? {});
  if (group instanceof z.ZodRecord) return settingsAt(group.valueType, rest);
  return settingsAt(settings?.[String(first)], rest);
}

/** The word that was probably meant, when one is near enough. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const ranked = words
    .map((one) => ({ one, distance: editDistance(word.toLowerCase(), one.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(2, Math.floor(word.length / 2))
    ? best.one
    : undefined;
}

/** How many letters must be put in, left out or changed to make `b` of `a`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
