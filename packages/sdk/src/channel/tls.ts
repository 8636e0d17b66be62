import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import { SymmetraError } from '@symmetra/crypto';
import type { ExternalPsk } from '@symmetra/protocol';
import type { OfferedPsk } from './psk-counters.js';

/** CHN-3. */
const CIPHER = 'TLS_CHACHA20_POLY1305_SHA256';
const VERSION = 'TLSv1.3';
const HANDSHAKE_MS = 10_000;
const PSK_BYTES = 32;

const PROFILE = {
  minVersion: VERSION,
  maxVersion: VERSION,
  ciphers: CIPHER,
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const;

/**
 * CHN-3: the client's side of a connection under a one-time PSK.
 * @throws CHANNEL_REFUSED when the handshake fails, or the peer tried anything but the PSK
 */
export async function connectTls(socket: Socket, psk: ExternalPsk): Promise<TLSSocket> {
  const key = psk.key.bytes.slice();
  psk.key.wipe();
  const tls = connect({
    ...PROFILE,
    socket,
    pskCallback: () => ({ identity: psk.identity, psk: key }),
    // There is no certificate to check; one that comes all the same is found below.
    checkServerIdentity: () => undefined,
    ca: [],
  });
  try {
    await new Promise<void>((resolve, reject) => {
      tls.setTimeout(HANDSHAKE_MS, () => reject(refused()));
      tls.once('secureConnect', resolve);
      tls.once('error', () => reject(refused()));
      tls.once('close', () => reject(refused()));
    });
    tls.setTimeout(0);
    checkProfile(tls);
    return tls;
  } catch (error) {
    tls.destroy();
    throw error;
  } finally {
    key.fill(0);
  }
}

/** What the server's side needs. */
export interface TlsServerParts {
  /** The PSK of an identity, if it may be used. */
  readonly find: (identity: string) => OfferedPsk | undefined;
  readonly random: (length: number) => Uint8Array;
  /** A handshake is over; the counter is not used up yet, and nothing has been read. */
  readonly onConnection: (socket: TLSSocket, psk: Pick<OfferedPsk, 'keyId' | 'counter'>) => void;
}

/**
 * CHN-3: the server's side; connections are handed to it with `emit('connection', socket)`. An identity that is unknown
 * or spent gets a random PSK, and so fails exactly like a wrong key.
 */
export function createTlsServer(parts: TlsServerParts): Server {
  const offered = new WeakMap<TLSSocket, Pick<OfferedPsk, 'keyId' | 'counter'>>();
  const server = createServer({
    ...PROFILE,
    handshakeTimeout: HANDSHAKE_MS,
    pauseOnConnect: true,
    pskCallback: (socket: TLSSocket, identity: string) => {
      const found = parts.find(identity);
      if (found === undefined) return parts.random(PSK_BYTES);
      offered.set(socket, { keyId: found.keyId, counter: found.counter });
      return found.psk.key.bytes;
    },
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy());
    const psk = offered.get(socket);
    try {
      checkProfile(socket);
      if (psk === undefined) throw refused();
    } catch {
      socket.destroy();
      return;
    }
    parts.onConnection(socket, psk);
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** @throws CHANNEL_REFUSED when the connection is not what CHN-3 asks for */
function checkProfile(socket: TLSSocket): void {
  const certificate: object | null = socket.getPeerCertificate();
  const bare = certificate === null || Object.keys(certificate).length === 0;
  if (socket.getProtocol() !== VERSION || socket.getCipher().name !== CIPHER || !bare) throw refused();
}

function refused(): SymmetraError {
  return new SymmetraError('CHANNEL_REFUSED', 'the peer does not hold the key, or the key is spent there');
}
