import { methodDescriptors } from './loader.js';
import type { MethodDescriptor } from './loader.js';
import { methodPolicy } from './methods.js';

/** The RPCs that a node offers: all that the proto files declare, but those of its upstream servers. */
export function servedMethods(): MethodDescriptor[] {
  return methodDescriptors().filter(({ method }) => methodPolicy(method).kind !== 'upstream');
}
