import type { SignedEvent } from '@symmetra/protocol';
import type { Message, MessageInput } from '@symmetra/rpc';

/** A signed event as a protobuf message. */
export function toNotice({ event, signatures }: SignedEvent): MessageInput<'symmetra.link.v1.ControlNotice'> {
  return { event, signatures: [...signatures] };
}

/** The signed event in a protobuf message; its bytes are copied. */
export function fromNotice(notice: Message<'symmetra.link.v1.ControlNotice'>): SignedEvent {
  return {
    event: Uint8Array.from(notice.event),
    signatures: notice.signatures.map(({ administrator, signature }) => ({
      administrator: Uint8Array.from(administrator),
      signature: Uint8Array.from(signature),
    })),
  };
}
