import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Whether nobody listens on a port now. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  return (await probe(host, port)) !== undefined;
}

/** Ports on which nobody listens now, all different. @throws Error when the host can not be listened on */
export async function freePorts(host: string, count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = await probe(host, 0);
    if (port === undefined) throw new Error(`no port of ${host} can be listened on`);
    ports.add(port);
  }
  return [...ports];
}

async function probe(host: string, port: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen({ host, port }, () => {
      const { port: taken } = server.address() as AddressInfo;
      server.close(() => resolve(taken));
    });
  });
}
