import { readFile } from 'node:fs/promises';
import { SymmetraError } from '@symmetra/crypto';

const MAX_FILE_CHARS = 1_000_000;
/** Deeper than any configuration is nested. The parser calls itself at each level. */
const MAX_DEPTH = 100;

/**
 * The value in a YAML file, of which JSON is one form, yet to be checked.
 * @throws BAD_CONFIG; when the file is no YAML, `details.line` says where.
 */
export async function readYamlFile(file: string): Promise<unknown> {
  return parseYaml(await contentOf(file), file);
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const details = { path: file, reason };
    throw new SymmetraError('BAD_CONFIG', 'the configuration file can not be read', details, {
      cause: error,
    });
  }
}

/**
 * One YAML document without aliases, which a configuration has no use for.
 * @param source names where it stands
 * @throws BAD_CONFIG
 */
export async function parseYaml(content: string, source: string): Promise<unknown> {
  const refuse = (message: string, line = 0): SymmetraError =>
    new SymmetraError('BAD_CONFIG', message, { path: source, ...(line > 0 && { line }) });
  if (content.length > MAX_FILE_CHARS) throw refuse('the configuration file is too long');
  const { Lexer, Parser, parseDocument } = await import('./yaml-library.js');
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(content)) {
    Array.from(parser.next(lexeme));
    if (parser.stack.length > MAX_DEPTH) throw refuse('the configuration file is nested too deeply');
  }
  const document = parseDocument(content, { uniqueKeys: true, logLevel: 'silent' });
  const [error] = document.errors;
  // The parser's own message would quote the content.
  if (error !== undefined) throw refuse('the configuration file is not YAML', error.linePos?.[0].line);
  try {
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch {
    throw refuse('the configuration file may not use aliases');
  }
}
