import { readFileSync } from 'node:fs';

/** One published case. `source` says where it was published; binary fields are hexadecimal. */
export type Published<Field extends string> = { readonly source: string } & Readonly<Record<Field, string>>;

/** The published cases of one primitive, in excerpt, from `data/<name>.json`. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./data/${name}.json`, import.meta.url), 'utf8'));
}
