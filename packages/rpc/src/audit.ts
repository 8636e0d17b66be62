/** One call of an audited method, after it was answered. */
export interface AuditEntry {
  /** Full method name. */
  readonly method: string;
  /** Peer as address:port. */
  readonly peer: string;
  /** OK, or the stable code under which the call failed. What a sealed reply says is not seen here. */
  readonly code: string;
}

/** Takes audit entries; must not throw. */
export type AuditHook = (entry: AuditEntry) => void;
