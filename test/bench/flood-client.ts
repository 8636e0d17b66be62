import { connect as connectHttp2, constants } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { connect as connectTcp } from 'node:net';

const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_CONTENT_TYPE, HTTP2_HEADER_TE } = constants;
const CODE_HEADER = 'symmetra-code';
const STATUS_HEADER = 'grpc-status';
const FRAME_HEADER_BYTES = 5;

/** One attacker with a loopback address of its own, which grpc-js does not let a client choose. */
export class FloodClient {
  readonly #session: ClientHttp2Session;

  /** @param target host:port @param localAddress of 127.0.0.0/8 */
  constructor(target: string, localAddress: string) {
    const [host = '', port = ''] = target.split(':');
    this.#session = connectHttp2(`http://${target}`, {
      createConnection: () => connectTcp({ host, port: Number(port), localAddress }),
    });
  }

  /** Makes one unary call. @returns the stable code that came back, or gRPC's own status; OK for an answer */
  async call(method: string, message: Uint8Array): Promise<string> {
    const stream = this.#session.request({
      [HTTP2_HEADER_METHOD]: 'POST',
      [HTTP2_HEADER_PATH]: method,
      [HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [HTTP2_HEADER_TE]: 'trailers',
    });
    const header = Buffer.alloc(FRAME_HEADER_BYTES);
    header.writeUInt32BE(message.length, 1);
    let code = 'OK';
    const note = (headers: IncomingHttpHeaders): void => {
      const status = headers[STATUS_HEADER];
      const stated = headers[CODE_HEADER];
      if (typeof stated === 'string') code = stated;
      else if (typeof status === 'string' && status !== '0') code = `status ${status}`;
    };
    return new Promise((resolve, reject) => {
      stream.on('response', note);
      stream.on('trailers', note);
      stream.once('error', reject);
      stream.once('close', () => resolve(code));
      stream.resume();
      stream.end(Buffer.concat([header, message]));
    });
  }

  close(): void {
    this.#session.close();
  }
}
