import { z } from 'zod';
import { nodeSchema } from './node-schema.js';
import { bare } from './schema-walk.js';

const WIDTH = 100;
const INDENT = '  ';

const FULL = `# The configuration of a Symmetra node: every setting, what it means, its default.
#
# A setting behind "#" is off; take the "#" away to set it. One that is left out has its default.
# Unknown settings are refused. Relative paths begin where this file lies. The variable SYMMETRA_NODE_<PATH> goes
# before a setting: SYMMETRA_NODE_LISTEN_PORT is listen.port, SYMMETRA_NODE_BUS_NKEY_SEED_FILE bus.nkeySeedFile.
# Secrets lie in files of their own (0600), never here. "symmetra node check-config" says whether all is well.
`;

const MINIMAL = `# The shortest configuration of a Symmetra node; node.example.yaml has everything else.
`;

/** The full example: every setting with what its description says, in the order of the schema. */
export function fullExample(): string {
  const lines = groupLines(nodeSchema('/').shape, false);
  return `${FULL}\n${lines.join('\n').trimEnd()}\n`;
}

/** The settings that a node can not do without. */
export function minimalExample(): string {
  return `${MINIMAL}${requiredLines(nodeSchema('/').shape).join('\n')}\n`;
}

type Settings = Readonly<Record<string, unknown>>;

/** @param off true below a group that is off */
function groupLines(settings: Settings, off: boolean): readonly string[] {
  const lines: string[] = [];
  for (const [name, schema] of Object.entries(settings)) {
    lines.push(...wrapped(metaOf(schema).description), ...settingLines(name, schema, off));
    if (isGroup(schema)) lines.push('');
  }
  return lines;
}

function settingLines(name: string, schema: unknown, off: boolean): readonly string[] {
  const inner = bare(schema);
  if (inner instanceof z.ZodDiscriminatedUnion) return unionLines(name, inner);
  const isOff = off || isOptional(schema);
  const mark = isOff && !off ? '#' : '';
  if (inner instanceof z.ZodObject) {
    return [`${mark}${name}:`, ...nested(groupLines(inner.shape, isOff), mark)];
  }
  if (inner instanceof z.ZodRecord && inner.valueType instanceof z.ZodObject) {
    const [[key] = ['']] = Object.entries(exampleOf(schema) as Settings);
    const below = nested(groupLines(inner.valueType.shape, true), '');
    return [`${mark}${name}:`, ...nested([`${key}:`, ...below], mark)];
  }
  return [`${mark}${name}: ${inYaml(exampleOf(schema))}`];
}

/** Lines one step in; below a group that is off, the marks of its settings are the group's own. */
function nested(lines: readonly string[], mark: string): readonly string[] {
  return lines.filter((line) => line !== '').map((line) => mark + INDENT + line);
}

/** The first form as it is, the others off. */
function unionLines(name: string, union: z.ZodDiscriminatedUnion): readonly string[] {
  const [first, ...others] = union.options as readonly z.ZodObject[];
  const lines = [`${name}:`, ...nested(groupLines(first?.shape ?? {}, false), '')];
  for (const { shape } of others) lines.push('# Or:', `#${name}:`, ...nested(groupLines(shape, true), '#'));
  return lines;
}

function requiredLines(settings: Settings): readonly string[] {
  const lines: string[] = [];
  for (const [name, schema] of Object.entries(settings)) {
    if (bare(schema) !== schema) continue;
    if (schema instanceof z.ZodObject) lines.push(`${name}:`, ...nested(requiredLines(schema.shape), ''));
    else lines.push(`${name}: ${inYaml(exampleOf(schema))}`);
  }
  return lines;
}

interface Meta {
  readonly description?: string | undefined;
  readonly example?: unknown;
}

function metaOf(schema: unknown): Meta {
  return (schema as z.ZodType).meta() ?? {};
}

function isGroup(schema: unknown): boolean {
  const inner = bare(schema);
  return inner instanceof z.ZodObject || inner instanceof z.ZodDiscriminatedUnion;
}

function isOptional(schema: unknown): boolean {
  return schema instanceof z.ZodOptional;
}

/** The default, the only value there is, or the value that the schema shows. */
function exampleOf(schema: unknown): unknown {
  if (schema instanceof z.ZodDefault) return schema.def.defaultValue;
  const inner = bare(schema);
  if (inner instanceof z.ZodLiteral) return inner.value;
  return metaOf(schema).example;
}

function inYaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inYaml).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, one]) => `${key}: ${inYaml(one)}`)
      .join(', ')} }`;
  }
  return String(value);
}

function wrapped(text = ''): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((one) => one !== '')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= WIDTH) lines.splice(-1, 1, longer);
    else lines.push(`# ${word}`);
  }
  return lines;
}
