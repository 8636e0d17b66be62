import type { Device, GroupMessage } from '@symmetra/sdk';
import type { Output } from '../output.js';
import { epochSentence, groupFields } from './group-record.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** What could move the cursor of a terminal, break the line, or look like something else. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\\]/gu;

/**
 * Tells what happens to the groups of a device, one line per event.
 * @param only the id of the group whose events are told; without it, those of all groups.
 */
export function tellGroupEvents(device: Device, output: Output, only?: string): void {
  const tell = (groupId: string, value: { readonly event: string }, sentence: string): void => {
    if (only === undefined || only === groupId) output.event(value, sentence);
  };

  device.on('group', (group) =>
    tell(group.groupId, { event: 'group', ...groupFields(group) }, epochSentence(group)),
  );
  device.on('groupMessage', (message) => {
    const { plaintext, ...rest } = message;
    tell(
      message.groupId,
      { event: 'groupMessage', ...rest, ...contentOf(plaintext) },
      messageSentence(message),
    );
  });
  device.on('groupDue', (due) => {
    const out = due.out.length === 0 ? '' : `; out: ${due.out.join(', ')}`;
    tell(
      due.groupId,
      { event: 'groupDue', ...due },
      `group ${due.groupId} needs another epoch: ${due.reason}${out}`,
    );
  });
  device.on('groupEnded', (ending) =>
    tell(
      ending.groupId,
      { event: 'groupEnded', ...ending },
      `group ${ending.groupId} is over for this device: ${ending.reason}; its keys are erased`,
    ),
  );
}

/** The content of a message for programs: text where it is text. */
function contentOf(plaintext: Uint8Array): { readonly text: string } | { readonly base64: string } {
  const text = textOf(plaintext);
  return text === undefined ? { base64: Buffer.from(plaintext).toString('base64') } : { text };
}

/** A message in one line; whoever sent it decides nothing of what the terminal does. */
function messageSentence({ groupId, sender, plaintext }: GroupMessage): string {
  const text = textOf(plaintext)
    ?.replace(/\n$/, '')
    .replaceAll(UNPRINTABLE, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`);
  return `group ${groupId}, ${sender}: ${text ?? `${plaintext.length} bytes that are no text`}`;
}

function textOf(plaintext: Uint8Array): string | undefined {
  try {
    return utf8.decode(plaintext);
  } catch {
    return undefined;
  }
}
