import type { ClientLink } from './client-link.js';
import type { NodeClient } from './client.js';
import type { OpenCall } from './open-calls.js';

/** The device's end of its link, whatever carries it. */
export type NodeLink = Pick<ClientLink, 'send' | 'onFrame' | 'onClose' | 'close' | 'cancel'>;

/** A device's connection to one node, whatever carries it: what {@link NodeClient} offers to a device. */
export type NodeConnection = Pick<NodeClient, OpenCall | 'health' | 'close'> & { connectLink(): NodeLink };
