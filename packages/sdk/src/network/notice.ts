import type { SignedEvent } from '@symmetra/protocol';
import type { Message } from '@symmetra/rpc';

/** The signed event in a protobuf message, not verified; its bytes are copied. */
export function fromNotice(notice: Message<'symmetra.link.v1.ControlNotice'>): SignedEvent {
  return {
    event: Uint8Array.from(notice.event),
    signatures: notice.signatures.map(({ administrator, signature }) => ({
      administrator: Uint8Array.from(administrator),
      signature: Uint8Array.from(signature),
    })),
  };
}
