// Original file: proto/symmetra/sealed/v1/sealed.proto

import type { Long } from '@grpc/proto-loader';

/**
 * One sealed message of a session, in either direction (SES-5).
 */
export interface Sealed {
  /**
   * 16 bytes: the session id that the node chose (SES-3).
   */
  'session'?: (Buffer | Uint8Array | string);
  /**
   * Counts from 0 in each direction of a session; never repeats.
   */
  'seq'?: (number | string | Long);
  /**
   * AEAD ciphertext and 16-byte tag. Associated data: docs/protocol/05-sessions.md, SES-5.
   */
  'ciphertext'?: (Buffer | Uint8Array | string);
  /**
   * Routing only: the node that shares the session; empty means the node that is called.
   */
  'node'?: (string);
}

/**
 * One sealed message of a session, in either direction (SES-5).
 */
export interface Sealed__Output {
  /**
   * 16 bytes: the session id that the node chose (SES-3).
   */
  'session': (Buffer);
  /**
   * Counts from 0 in each direction of a session; never repeats.
   */
  'seq': (number);
  /**
   * AEAD ciphertext and 16-byte tag. Associated data: docs/protocol/05-sessions.md, SES-5.
   */
  'ciphertext': (Buffer);
  /**
   * Routing only: the node that shares the session; empty means the node that is called.
   */
  'node': (string);
}
