import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { formatAltName, formatName } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { type TestAuthority, testAuthority, testIssuer, testRequest } from './authority.testing.ts';
import { type NodeLimits, nodeNameOf, nodeRule } from './node-rule.ts';
import type { Issued } from './types.ts';

const profiles = {
  'kubelet': { usages: ['signing', 'client auth', 'server auth'] },
  'kubelet-client': { usages: ['signing', 'client auth'] },
  'kubelet-serving': { usages: ['signing', 'server auth'] },
  'intermediate': { usages: ['cert sign'], ca_constraint: { is_ca: true } },
  'bound': { usages: ['signing', 'client auth', 'server auth'], rfo_bind: 'node' },
  'copying': { usages: ['signing', 'client auth', 'server auth'], rfo_bind: 'node', copy_extensions: true },
};

let authority: TestAuthority;
before(async () => {
  authority = await testAuthority();
});

type Ask = { commonName?: string; organizations?: string[]; hosts?: string[]; profile?: string; limits?: NodeLimits };

async function ask({
  commonName = 'system:node:worker-1',
  organizations = ['system:nodes'],
  hosts = [],
  profile = 'kubelet',
  limits,
}: Ask): Promise<Issued> {
  const issuer = await testIssuer({ profiles }, { authority });
  const names = organizations.map((O) => ({ O }));
  return issuer.issue(await testRequest({ commonName, names, hosts }, { profile }), limits === undefined ? [] : [nodeRule(limits)]);
}

function refused(code: number, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof CfsslError && error.code === code && message.test(error.message);
}

describe('a token of one node', () => {
  const limits = { node: 'worker-1' };

  for (const commonName of ['system:node:worker-1', 'worker-1', ''])
    it(`forces the identity of the node on a request for "${commonName}", whatever groups it asks for`, async () => {
      const { draft } = await ask({ commonName, organizations: ['system:masters', 'other'], limits });
      assert.equal(formatName(draft.subject), 'CN=system:node:worker-1,O=system:nodes');
      assert.equal(draft.node, 'worker-1');
    });

  for (const commonName of ['system:node:worker-2', 'worker-10', 'admin', 'system:kube-scheduler', 'system:node:', 'WORKER-1'])
    it(`refuses the name ${commonName}`, async () => {
      await assert.rejects(ask({ commonName, limits }), refused(5500, /is not that of the node worker-1/));
    });

  it('lets in the name of the node, names below it, and addresses', async () => {
    const hosts = ['worker-1', 'worker-1.example.com', '10.0.0.1', 'fd00::1'];
    const { draft } = await ask({ hosts, limits });
    assert.deepEqual(draft.altNames.map(formatAltName), ['DNS:worker-1', 'DNS:worker-1.example.com', 'IP:10.0.0.1', 'IP:fd00::1']);
  });

  for (const host of [
    'worker-2',
    'worker-10.example.com',
    'xworker-1',
    'kubernetes.default.svc',
    '*.worker-1',
    'https://worker-1/',
    'root@worker-1',
  ])
    it(`refuses ${host} as a name`, async () => {
      await assert.rejects(
        ask({ hosts: ['worker-1', host], limits }),
        refused(5500, /is neither a name nor an allowed address of the node worker-1/),
      );
    });

  it('lets in addresses of its own ranges alone', async () => {
    const own = { node: 'worker-1', addresses: ['10.0.0.0/8', '192.0.2.7', 'fd00::/16'] };
    for (const host of ['10.1.2.3', '192.0.2.7', 'fd00::9', '::ffff:10.0.0.9']) await ask({ hosts: [host], limits: own });
    for (const host of ['11.0.0.1', '192.0.2.8', 'fd01::1'])
      await assert.rejects(ask({ hosts: [host], limits: own }), refused(5500, /allowed address/));
  });

  it('gives a certificate for clients alone no names, as Kubernetes has them in none', async () => {
    const { draft } = await ask({ profile: 'kubelet-client', hosts: ['anything.example', '10.0.0.1'], limits });
    assert.deepEqual(draft.altNames, []);
    const serving = await ask({ profile: 'kubelet-serving', hosts: ['worker-1'], limits });
    assert.deepEqual(serving.draft.altNames.map(formatAltName), ['DNS:worker-1']);
  });

  it('makes no CA of it', async () => {
    await assert.rejects(ask({ profile: 'intermediate', limits }), refused(5300, /a node cannot be a CA/));
  });
});

describe('a token of several nodes', () => {
  const limits = { node: 'worker-*.zone-?a' };

  it('goes by the name that is asked for', async () => {
    const { draft } = await ask({ commonName: 'system:node:worker-a1.zone-b', limits: { node: 'worker-*.zone-*' } });
    assert.equal(draft.node, 'worker-a1.zone-b');
  });

  for (const commonName of ['worker-.zone-b', 'worker-a.b.zone-c', 'worker-a1xzone-b', 'master-a1.zone-b', ''])
    it(`refuses "${commonName}", as a star is a run of letters, digits and dashes`, async () => {
      await assert.rejects(ask({ commonName, limits: { node: 'worker-*.zone-*' } }), refused(5500, /./));
    });

  it('takes every other character as itself', async () => {
    await assert.rejects(ask({ commonName: 'worker-a.zone-xa', limits }), refused(5500, /is not that of the node/));
  });

  it('is for no name that belongs to the API server or to every host', async () => {
    for (const commonName of ['kubernetes', 'localhost'])
      await assert.rejects(ask({ commonName, limits: { node: '*' } }), refused(5500, /not a name for a node/));
  });
});

describe('a profile with rfo_bind', () => {
  it('gives the identity of the node that is asked for, and its names alone', async () => {
    const { draft } = await ask({ profile: 'bound', hosts: ['worker-1', '10.0.0.1'], organizations: ['system:masters'] });
    assert.equal(formatName(draft.subject), 'CN=system:node:worker-1,O=system:nodes');
    await assert.rejects(ask({ profile: 'bound', hosts: ['worker-2'] }), refused(5500, /neither a name nor an allowed address/));
    for (const commonName of ['system:admin', 'system:node:UPPER', 'a b', 'a..b', 'kubernetes', ''])
      await assert.rejects(ask({ profile: 'bound', commonName }), refused(5500, /./), commonName);
  });

  it('does not widen what a token allows', async () => {
    const limits = { node: 'worker-1', addresses: ['10.0.0.0/8'] };
    await assert.rejects(ask({ profile: 'bound', commonName: 'worker-2', limits }), refused(5500, /is not that of the node worker-1/));
    await assert.rejects(ask({ profile: 'bound', hosts: ['192.0.2.1'], limits }), refused(5500, /allowed address/));
    assert.equal((await ask({ profile: 'bound', hosts: ['10.0.0.1'], limits })).draft.node, 'worker-1');
  });

  it('copies nothing out of the CSR', async () => {
    const extensions = [{ oid: '1.2.3.4', critical: false, content: Buffer.from('0500', 'hex') }];
    const issuer = await testIssuer({ profiles }, { authority });
    const { der } = await issuer.issue(await testRequest({ commonName: 'worker-1', extensions }, { profile: 'copying' }));
    assert.equal(der.includes(Buffer.from('06032a0304', 'hex')), false);
  });
});

describe('nodeNameOf', () => {
  it('reads the name with and without its prefix, and the last of several', () => {
    assert.equal(nodeNameOf([{ type: 'CN', value: 'system:node:a' }]), 'a');
    assert.equal(nodeNameOf([{ type: 'CN', value: 'b' }]), 'b');
    assert.equal(nodeNameOf([{ type: 'O', value: 'system:nodes' }]), undefined);
  });
});
