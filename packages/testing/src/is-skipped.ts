/** On the machine of the verification nothing may be missing, so there no test is skipped. */
const isVerified = process.env['CI'] === 'true';

/** Whether tests that need something of the machine are skipped: it is missing, and this is a developer's machine. */
export function isSkipped(isThere: boolean): boolean {
  return !isThere && !isVerified;
}
