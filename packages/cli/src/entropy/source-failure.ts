import { SymmetraError } from '@symmetra/crypto';

/** Does something with a source, so that a failure names it. @throws what the work throws. */
export async function withSource<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SymmetraError)) throw error;
    const { code, message, details } = error;
    throw new SymmetraError(code, `source ${name}: ${message}`, { ...details }, { cause: error });
  }
}
