import { dirname, resolve } from 'node:path';
import { configError } from './config-error.js';
import { withEnvironment } from './node-environment.js';
import { nodeSchema } from './node-schema.js';
import type { NodeConfig } from './node-schema.js';
import { readYamlFile } from './yaml-file.js';

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Checks and completes the configuration of a node. Unknown keys are refused.
 * @param input what a YAML file holds
 * @param directory where relative paths begin
 * @throws BAD_CONFIG, with the path to the first fault in `details.field`
 */
export function parseNodeConfig(input: unknown, directory: string): NodeConfig {
  const schema = nodeSchema(directory);
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw configError(result.error, schema);
}

/**
 * {@link parseNodeConfig} of a YAML file; relative paths begin where it lies. A variable `SYMMETRA_NODE_<PATH>`, such
 * as `SYMMETRA_NODE_LISTEN_PORT` for `listen.port`, goes before the file.
 * @throws BAD_CONFIG, also for variables of that form that stand for no setting; when the file is no YAML,
 *   `details.line` says where
 */
export async function readNodeConfig(file: string, environment: Environment = {}): Promise<NodeConfig> {
  const directory = dirname(resolve(file));
  const content = await readYamlFile(file);
  return parseNodeConfig(await withEnvironment(content, nodeSchema(directory), environment), directory);
}

const USER_IN_URL = /^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/;

/** The configuration as it may be shown: what an address says of a user is hidden. Secrets lie in files. */
export function effectiveConfig(config: NodeConfig): object {
  return JSON.parse(JSON.stringify(config), (_key, value: unknown) =>
    typeof value === 'string' ? value.replace(USER_IN_URL, '$1***@') : value,
  ) as object;
}
