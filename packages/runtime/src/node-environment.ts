import { SymmetraError } from '@symmetra/crypto';
import { z } from 'zod';
import type { Environment } from './node-config.js';
import { bare, nearest, settingsOf } from './schema-walk.js';
import { parseYaml } from './yaml-file.js';

const PREFIX = 'SYMMETRA_NODE_';

type Tree = Readonly<Record<string, unknown>>;

/**
 * The settings of a file with those of the environment in their places. Text stands in a variable as it is, a list
 * with commas between, anything else as in YAML.
 * @throws BAD_CONFIG for a variable of ours that stands for no setting
 */
export async function withEnvironment(
  content: unknown,
  schema: z.ZodType,
  environment: Environment,
): Promise<unknown> {
  const settings = new Map(leavesOf(schema, []).map(({ path, leaf }) => [variableOf(path), { path, leaf }]));
  let tree = content;
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || value === undefined) continue;
    const setting = settings.get(variable);
    if (setting === undefined) throw unknown(variable, [...settings.keys()]);
    tree = placed(tree, setting.path, await valueOf(value, setting.leaf, variable));
  }
  return tree;
}

interface Leaf {
  readonly path: readonly string[];
  readonly leaf: unknown;
}

function leavesOf(schema: unknown, path: readonly string[]): readonly Leaf[] {
  const settings = settingsOf(schema);
  if (settings === undefined) return [{ path, leaf: bare(schema) }];
  return Object.entries(settings).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
}

function variableOf(path: readonly string[]): string {
  return (
    PREFIX + path.map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()).join('_')
  );
}

async function valueOf(text: string, leaf: unknown, variable: string): Promise<unknown> {
  if (leaf instanceof z.ZodString || leaf instanceof z.ZodEnum || leaf instanceof z.ZodLiteral) return text;
  if (leaf instanceof z.ZodArray) return text.split(',').map((one) => one.trim());
  return parseYaml(text, variable);
}

function placed(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const here: Tree = typeof tree === 'object' && tree !== null && !Array.isArray(tree) ? (tree as Tree) : {};
  return { ...here, [first]: placed(here[first], rest, value) };
}

function unknown(variable: string, known: readonly string[]): SymmetraError {
  const meant = nearest(variable, known);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  return new SymmetraError('BAD_CONFIG', `the variable ${variable} stands for no setting${hint}`, {
    field: variable,
  });
}
