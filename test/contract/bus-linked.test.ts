import { LinkWorld } from '@symmetra/testing';
import { describeBus } from './bus-suite.js';

describeBus('over links', async () => {
  const world = new LinkWorld('bus-linked');
  return {
    join: async (nodeId) => world.join(nodeId),
    pass: async (ms) => world.pass(ms),
  };
});
