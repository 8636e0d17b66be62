import type { HttpCall } from './connection.js';
import { badPayload, checkLength, readBase64, readJsonAt } from './payload.js';
import type { HttpProfile } from './profile.js';

const JSON_TYPES = ['application/json'];
const MAX_CAPABILITIES_BYTES = 65_536;
/** Names, brackets and extensions around the blocks. */
const SLACK_BYTES = 65_536;
/** Quotation marks, comma and padding of a block. */
const SLACK_PER_BLOCK = 16;
/** No block of noise needs to be longer, whatever the server allows. */
const LARGEST = 2 ** 20;

/** What a server lets itself be asked for. */
interface Capabilities {
  readonly minBlockSize: number;
  readonly maxBlockSize: number;
  readonly minBlockCount: number;
  readonly maxBlockCount: number;
}

/**
 * The QRNG Open API (PaloAltoNetworks/QRNG-OPENAPI): `GET /v1/capabilities` once a connection, then `POST /v1/entropy`
 * for blocks within them.
 */
export class QrngOpenApi implements HttpProfile {
  readonly #name: string;
  readonly #base: string;
  readonly #entropyType: string | undefined;
  #capabilities: Capabilities | undefined;

  /** @param url what `/v1` follows. */
  constructor(name: string, url: string, entropyType: string | undefined) {
    this.#name = name;
    this.#base = url.endsWith('/') ? url.slice(0, -1) : url;
    this.#entropyType = entropyType;
  }

  async ask(bytes: number, call: HttpCall, signal: AbortSignal): Promise<Uint8Array> {
    this.#capabilities ??= await this.#askCapabilities(call, signal);
    const { size, count } = blocksFor(bytes, this.#capabilities);
    const request = {
      block_size: size,
      block_count: count,
      ...(this.#entropyType !== undefined && { entropy_type: this.#entropyType }),
    };
    const body = await call(
      {
        method: 'POST',
        url: new URL(`${this.#base}/v1/entropy`),
        accept: JSON_TYPES,
        body: JSON.stringify(request),
        maxBytes: count * (Math.ceil(size / 3) * 4 + SLACK_PER_BLOCK) + SLACK_BYTES,
      },
      signal,
    );
    return readBlocks(this.#name, body, size, count);
  }

  reset(): void {
    this.#capabilities = undefined;
  }

  async #askCapabilities(call: HttpCall, signal: AbortSignal): Promise<Capabilities> {
    const url = new URL(`${this.#base}/v1/capabilities`);
    const maxBytes = MAX_CAPABILITIES_BYTES;
    const body = await call({ method: 'GET', url, accept: JSON_TYPES, maxBytes }, signal);
    return readCapabilities(this.#name, body);
  }
}

/** The reply of `/v1/capabilities`. @throws SOURCE_BAD_PAYLOAD */
function readCapabilities(name: string, body: Uint8Array): Capabilities {
  const entropy = readJsonAt(name, body, 'entropy') as Record<string, unknown> | null;
  const read = (key: string, absent?: number): number => {
    const value = entropy?.[key] ?? absent;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
    throw badPayload(name, `the capabilities lack a number "${key}"`);
  };
  const capabilities = {
    minBlockSize: read('min_block_size', 1),
    maxBlockSize: read('max_block_size'),
    minBlockCount: read('min_block_count', 1),
    maxBlockCount: read('max_block_count'),
  };
  const { minBlockSize, maxBlockSize, minBlockCount, maxBlockCount } = capabilities;
  if (
    minBlockSize > maxBlockSize ||
    minBlockCount > maxBlockCount ||
    minBlockSize * minBlockCount > LARGEST
  ) {
    throw badPayload(name, 'no request fits the capabilities');
  }
  return capabilities;
}

/** The reply of `/v1/entropy`: exactly `count` blocks of exactly `size` bytes. @throws SOURCE_BAD_PAYLOAD */
function readBlocks(name: string, body: Uint8Array, size: number, count: number): Uint8Array {
  const blocks = readJsonAt(name, body, 'entropy');
  if (!Array.isArray(blocks) || blocks.length !== count) {
    throw badPayload(name, 'the payload holds another number of blocks than was asked for', { asked: count });
  }
  const parts = blocks.map((block: unknown) => {
    if (typeof block !== 'string') throw badPayload(name, 'a block is not a text');
    return checkLength(name, readBase64(name, block), size);
  });
  return Buffer.concat(parts);
}

/** Blocks that hold `bytes` bytes, or as many as the server gives at once. */
function blocksFor(bytes: number, capabilities: Capabilities): { size: number; count: number } {
  const { minBlockSize, maxBlockSize, minBlockCount, maxBlockCount } = capabilities;
  const size = clamp(Math.ceil(bytes / minBlockCount), minBlockSize, Math.min(maxBlockSize, LARGEST));
  const count = clamp(Math.ceil(bytes / size), minBlockCount, maxBlockCount);
  return { size, count };
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}
