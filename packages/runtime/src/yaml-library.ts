/** In a module of its own, which is loaded where a file is read: most commands read none. */
export { Lexer, Parser, parseDocument } from 'yaml';
