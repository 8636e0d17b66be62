/* Strict shapes of files that other programs read: what a shape does not name is a fault. */

/** Says what is wrong with a value, each fault with the path to it. */
export type Shape = (value: unknown, path: string) => readonly string[];

const expected = (what: string, path: string, value: unknown): readonly string[] => [
  `${path}: not ${what}, but ${JSON.stringify(value) ?? 'nothing'}`,
];

export const text =
  (pattern = /^[^\0]+$/): Shape =>
  (value, path) =>
    typeof value === 'string' && pattern.test(value) ? [] : expected(`text like ${pattern}`, path, value);

export const whole =
  (least = 0, most = Number.MAX_SAFE_INTEGER): Shape =>
  (value, path) =>
    Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most
      ? []
      : expected(`a whole number from ${least} to ${most}`, path, value);

export const flag: Shape = (value, path) =>
  typeof value === 'boolean' ? [] : expected('true or false', path, value);

/** One of a few values. */
export const one =
  (...values: readonly unknown[]): Shape =>
  (value, path) =>
    values.includes(value) ? [] : expected(`one of ${JSON.stringify(values)}`, path, value);

/** A list that is not empty. */
export const list =
  (item: Shape): Shape =>
  (value, path) =>
    Array.isArray(value) && value.length > 0
      ? value.flatMap((entry, i) => item(entry, `${path}[${i}]`))
      : expected('a list', path, value);

/** Entries of any name. */
export const map =
  (item: Shape): Shape =>
  (value, path) =>
    isObject(value)
      ? Object.entries(value).flatMap(([name, entry]) => item(entry, `${path}.${name}`))
      : expected('a map', path, value);

/** Entries of these names and no others; those that end in `?` may be missing. */
export const record =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value, path) => {
    if (!isObject(value)) return expected('a map', path, value);
    const known = new Map(
      Object.entries(fields).map(([name, shape]) => [
        name.replace('?', ''),
        { shape, may: name.endsWith('?') },
      ]),
    );
    const strange = Object.keys(value).filter((name) => !known.has(name));
    return [
      ...strange.map((name) => `${path}.${name}: unknown`),
      ...[...known].flatMap(([name, { shape, may }]) => {
        if (name in value) return shape(value[name], `${path}.${name}`);
        return may ? [] : [`${path}.${name}: missing`];
      }),
    ];
  };

/** Exactly one of several entries, each of which has one name. */
export const choice =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value, path) => {
    const optional = Object.fromEntries(Object.entries(fields).map(([name, shape]) => [`${name}?`, shape]));
    const faults = record(optional)(value, path);
    if (faults.length > 0) return faults;
    return Object.keys(value as object).length === 1 ? [] : expected('one entry', path, value);
  };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
