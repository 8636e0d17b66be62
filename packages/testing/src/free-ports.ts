import { freePorts as freePortsOf } from '@symmetra/node';

/** Ports of the loopback on which nobody listens now, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  return freePortsOf('127.0.0.1', count);
}
