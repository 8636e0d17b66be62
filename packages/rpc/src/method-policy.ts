import type { MessageName } from './codec.js';
import type { Rate } from './rate.js';

/**
 * Who may call a method. The session or the signature proves it; `anyone` proves nothing. A `node` calls its upstream
 * servers, which know it by its certificate or token.
 */
export type Caller = 'anyone' | 'device' | 'administrator' | 'node';

/**
 * How a method is protected. `open`: its message protects itself, or is public. `sealed`: inside a
 * session. `signed`: by an administrator. `link`: a stream whose frames carry sealed calls. `upstream`: protected by
 * TLS; nodes call it and no node answers it.
 */
export type MethodKind = 'open' | 'sealed' | 'signed' | 'link' | 'upstream';

/** A rate and what it counts by, each within one peer address: nothing else is proven yet. */
export interface MethodRate extends Rate {
  readonly per: 'peer-address' | 'session' | 'administrator';
}

/** One row of the method table. */
export interface MethodPolicy {
  readonly who: Caller;
  readonly kind: MethodKind;
  readonly rate: MethodRate;
  /** Whether each call that passes the limits is reported to the audit hook. */
  readonly audited: boolean;
  /** Longest request, or frame of a stream, in bytes. */
  readonly maxBytes: number;
  /** Sealed and signed methods: the types inside, as the proto's option names them. */
  readonly plaintext?: { readonly request: MessageName; readonly reply: MessageName };
}
