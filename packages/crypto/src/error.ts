/**
 * The one root of all errors that this project raises on purpose.
 *
 * `code` is stable and meant for programs (UPPER_SNAKE); `message` is one clear sentence for
 * people; `details` holds the numbers and ids that explain it. None of them ever holds key bytes.
 */
export class SymmetraError extends Error {
  override readonly name: string = 'SymmetraError';
  readonly code: string;
  readonly details: Readonly<Record<string, string | number>>;

  constructor(
    code: string,
    message: string,
    details: Readonly<Record<string, string | number>> = {},
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** Bytes or values that the canonical encoding does not allow. `details.offset` is the field's position. */
export class EncodingError extends SymmetraError {
  constructor(message: string, details: Readonly<Record<string, string | number>> = {}) {
    super('BAD_ENCODING', message, details);
  }
}

/** An AEAD tag did not verify: wrong key, nonce or associated data, or the bytes were changed. */
export class AuthenticationError extends SymmetraError {
  constructor(message = 'the sealed bytes do not authenticate') {
    super('AUTHENTICATION_FAILED', message);
  }
}

/** A secret was read after it had been wiped. */
export class SecretWipedError extends SymmetraError {
  constructor(secretName: string) {
    super('SECRET_WIPED', `the secret ${secretName} was used after it had been wiped`, {
      secret: secretName,
    });
  }
}
