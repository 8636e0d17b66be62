import type { Failure } from './exit.js';

/** Where text goes; a part of a writable stream. */
export interface TextSink {
  /** Whether a terminal shows it. */
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * What a command says. With `--json`, standard output carries exactly one JSON object, or one per
 * line and event; without it, sentences for a person. Failures and warnings go to standard error.
 */
export class Output {
  readonly json: boolean;
  readonly #out: TextSink;
  readonly #err: TextSink;

  constructor(json: boolean, out: TextSink, err: TextSink) {
    this.json = json;
    this.#out = out;
    this.#err = err;
  }

  /** The outcome of a command: the object for programs, the sentences for people. */
  result(value: object, sentences: readonly string[]): void {
    this.#out.write(this.json ? `${JSON.stringify(value)}\n` : sentences.map((line) => `${line}\n`).join(''));
  }

  /** One of the events that a long command tells. */
  event(value: { readonly event: string }, sentence: string): void {
    this.result(value, [sentence]);
  }

  /** Something that a person waiting should know; programs are not told. */
  progress(sentence: string): void {
    if (!this.json) this.#err.write(`${sentence}\n`);
  }

  /** Whether a person watches standard error on a terminal. */
  get watched(): boolean {
    return !this.json && this.#err.isTTY === true;
  }

  /** A line on the terminal that the next one takes the place of; an empty one takes it away. */
  moving(line: string): void {
    if (this.watched) this.#err.write(`\r\u001B[K${line}`);
  }

  /** Something that went less well than it should, though the command goes on. */
  warning(warning: Failure): void {
    this.#err.write(
      this.json ? `${JSON.stringify({ warning })}\n` : `warning: ${warning.code}: ${warning.message}\n`,
    );
  }

  /** Why the command was refused or failed: the one line on standard error. */
  failure({ code, message }: Failure): void {
    this.#err.write(
      this.json ? `${JSON.stringify({ error: { code, message } })}\n` : `${code}: ${message}\n`,
    );
  }
}

/** Rows under each other, columns as wide as their widest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A fingerprint in groups that two people can read to each other. */
export function grouped(fingerprint: string): string {
  return (fingerprint.match(/.{1,4}/g) ?? []).join(' ');
}
