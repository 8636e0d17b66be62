/** One JSON object that a command printed. */
export type Report = Readonly<Record<string, unknown>>;

/** How a command ended. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command was refused: its exit code and the code of its one line on standard error. */
export interface Refused {
  readonly exit: number | null;
  readonly code: string;
  readonly message: string;
}

/** The one object that a command with `--json` printed, which must have succeeded. */
export function replyIn({ code, stdout, stderr }: Outcome, args: readonly string[]): Report {
  if (code !== 0) throw new Error(`symmetra ${args.join(' ')} failed: ${stderr}`);
  const lines = stdout.trimEnd().split('\n');
  if (lines.length !== 1) throw new Error(`not one line but ${lines.length}: ${stdout}`);
  return JSON.parse(lines[0] ?? '') as Report;
}

/** What a command with `--json` said, which must not have succeeded. */
export function refusalIn({ code, stdout, stderr }: Outcome): Refused {
  const lines = stderr.trimEnd().split('\n');
  const errors = lines.filter((line) => line.startsWith('{"error"'));
  if (errors.length !== 1) throw new Error(`no single error (exit ${code}): ${stdout}${stderr}`);
  const { error } = JSON.parse(errors[0] ?? '') as { error: { code: string; message: string } };
  return { exit: code, code: error.code, message: error.message };
}
