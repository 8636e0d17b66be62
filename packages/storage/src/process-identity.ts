import { readFile } from 'node:fs/promises';

/** A process among all that a machine ever runs, as far as the platform can tell. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to its start (Linux), so that a reused pid is told apart. */
  readonly startTime?: string;
  /** The boot that it belongs to (Linux). */
  readonly bootId?: string;
}

/** The identity of the process that runs this. */
export async function currentProcess(): Promise<ProcessIdentity> {
  return identity(process.pid, (await processState(process.pid))?.startTime, await bootId());
}

/** What {@link currentProcess} gave, from JSON; undefined when it is something else. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof ProcessIdentity, unknown>> | null;
    if (typeof value?.pid !== 'number' || !Number.isSafeInteger(value.pid) || value.pid < 1) return undefined;
    return identity(value.pid, textOrNothing(value.startTime), textOrNothing(value.bootId));
  } catch {
    return undefined;
  }
}

/** Whether that very process still runs. A zombie does not. */
export async function isAlive(claimed: ProcessIdentity): Promise<boolean> {
  const boot = await bootId();
  if (claimed.bootId !== undefined && boot !== undefined && claimed.bootId !== boot) return false;
  if (!exists(claimed.pid)) return false;
  const now = await processState(claimed.pid);
  if (now === undefined) return true;
  if (now.state === 'Z' || now.state === 'X') return false;
  return claimed.startTime === undefined || claimed.startTime === now.startTime;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** proc(5): the command name in field 2 may hold spaces and parentheses; field 3 is the state, 22 the start. */
async function processState(pid: number): Promise<{ state: string; startTime: string } | undefined> {
  const stat = await read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  return state === undefined || startTime === undefined ? undefined : { state, startTime };
}

async function bootId(): Promise<string | undefined> {
  return (await read('/proc/sys/kernel/random/boot_id'))?.trim();
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

function identity(pid: number, startTime?: string, boot?: string): ProcessIdentity {
  return { pid, ...(startTime !== undefined && { startTime }), ...(boot !== undefined && { bootId: boot }) };
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
