import { InProcessNetwork } from '@symmetra/bus';
import { signatureKeygen, suites } from '@symmetra/crypto';
import { describeIdentity, loadIdentity } from '@symmetra/node';
import { signDescriptor } from '@symmetra/protocol';
import type { Descriptor, SignedDescriptor } from '@symmetra/protocol';
import { createLogger } from '@symmetra/runtime';
import { openMemoryStore } from '@symmetra/storage';
import { ManualClock, fresh } from '@symmetra/testing';
import { expect, test } from 'vitest';
import { ControlState } from '../../packages/node/src/control/control-state.js';
import { adoptDescriptor } from '../../packages/node/src/control/descriptor-row.js';
import { DescriptorExchange } from '../../packages/node/src/network/descriptor-exchange.js';

const root = signatureKeygen(fresh(32));

test('CTL-2: a process gives the descriptor that another process of its node has taken up', async () => {
  const clock = new ManualClock();
  const wire = new InProcessNetwork({ clock });
  const identities = await Promise.all(
    ['node-1', 'node-2'].map(async (id) => loadIdentity(openMemoryStore(), id, fresh)),
  );
  const first: Descriptor = {
    networkId: fresh(16),
    version: 1,
    nodes: identities.map((identity) => describeIdentity(identity, ['127.0.0.1:1'], 'test')),
    suites: suites.ids(),
    threshold: 2,
    administrators: [signatureKeygen(fresh(32)).publicKey],
    administratorThreshold: 1,
  };
  const sign = (descriptor: Descriptor): SignedDescriptor =>
    signDescriptor(descriptor, root.secretKey, root.publicKey);
  const heard: SignedDescriptor[] = [];
  const [shared, own] = [openMemoryStore(), openMemoryStore()];
  const [, asking] = identities.map((identity, i) => {
    const state = new ControlState(identity, sign(first), first, suites);
    const logger = createLogger({ level: 'silent', clock });
    const store = i === 0 ? shared : own;
    const bus = wire.join(identity.id);
    return new DescriptorExchange({ bus, store, state, logger, onDescriptor: (newer) => heard.push(newer) });
  });
  const newer = sign({ ...first, version: 2 });
  await adoptDescriptor(shared, newer);

  asking?.heard('node-1', 2);
  await expect.poll(() => heard).toEqual([newer]);
});
