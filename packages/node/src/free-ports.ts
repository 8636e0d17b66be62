import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that Linux gives to outgoing connections (32768 and up, ip_local_port_range): a port of those can be
 * gone before it is listened on, or while the process that had it starts again.
 */
const FIRST = 10_240;
const END = 32_768;
/** More than enough where most of the ports are free. */
const ATTEMPTS = 1000;

/** Whether nobody listens on a port now. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ host, port }, () => server.close(() => resolve(true)));
  });
}

/** Ports on which nobody listens now, all different. @throws Error when the host can not be listened on */
export async function freePorts(host: string, count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; attempt < ATTEMPTS * count && ports.size < count; attempt++) {
    const port = randomInt(FIRST, END);
    if (await isPortFree(host, port)) ports.add(port);
  }
  if (ports.size < count) throw new Error(`no port of ${host} can be listened on`);
  return [...ports];
}
