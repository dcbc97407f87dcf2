import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { RfoError } from '@rfo/foundation';
import {
  certificateInfos,
  createSigningRequest,
  decodeCertificate,
  encodeKey,
  encodePem,
  findChain,
  formatAltName,
  formatName,
  generateKey,
  identity,
  issueCertificate,
  issueSelfSigned,
  publicKeyBytes,
} from '@rfo/pki';
import { TestNode } from '../certificates/node.testing.ts';
import type { NodeCertificateName } from './api.ts';
import { createNodeCertificates, readNodeIdentity } from './issue-node-certificate.ts';

const hour = 3_600_000;
const agent = { nodeName: 'agent-1', nodeIps: ['198.51.100.20', '2001:db8::20'] };
const plainRequest = (): Buffer => createSigningRequest({ subject: identity('whoever') }, generateKey());

async function prepare() {
  const node = new TestNode();
  await node.ensure();
  const servers = (): string[] => ['https://192.0.2.8:9345', 'https://[2001:db8::8]:9345', 'server-3.example:9345'];
  return { node, certificates: createNodeCertificates({ paths: node.paths, clock: node.clock, leafLifetime: 24 * hour, servers }) };
}

function refused(code: string, problem = /./): (error: unknown) => boolean {
  return (error) => error instanceof RfoError && error.code === code && problem.test(error.message);
}

describe('a certificate for a node', () => {
  it('has the subject, the names and the uses of the table', async () => {
    const { node, certificates } = await prepare();
    using _ = node;
    const describeLeaf = (name: NodeCertificateName): unknown => {
      const key = generateKey();
      const pem = certificates.issue(name, createSigningRequest({ subject: identity('whoever') }, key), agent);
      const [leaf, ...above] = certificateInfos(pem);
      assert.ok(leaf);
      assert.deepEqual(leaf.publicKey, publicKeyBytes(createPublicKey(key)));
      assert.equal(leaf.notAfter, node.now + 24 * hour);
      return [formatName(leaf.subject), leaf.usages, leaf.altNames.map(formatAltName), above.map(({ subject }) => formatName(subject))];
    };
    const at = Math.floor(node.now / 1000);
    const [client, server] = [`CN=rfo-client-ca@${at}`, `CN=rfo-server-ca@${at}`];
    assert.deepEqual(describeLeaf('client-kubelet'), ['CN=system:node:agent-1,O=system:nodes', ['clientAuth'], [], [client]]);
    assert.deepEqual(describeLeaf('client-kube-proxy'), ['CN=system:kube-proxy', ['clientAuth'], [], [client]]);
    assert.deepEqual(describeLeaf('client-rfo-controller'), ['CN=system:rfo-controller', ['clientAuth'], [], [client]]);
    const names = ['DNS:agent-1', 'DNS:localhost', 'IP:127.0.0.1', 'IP:::1', 'IP:198.51.100.20', 'IP:2001:db8::20'];
    assert.deepEqual(describeLeaf('serving-kubelet'), ['CN=agent-1', ['serverAuth'], names, [server]]);
  });

  it('takes nothing of what the request asks for', async () => {
    const { node, certificates } = await prepare();
    using _ = node;
    const altNames = [
      { type: 'dns', value: 'kubernetes.default.svc' },
      { type: 'ip', value: '10.43.0.1' },
    ] as const;
    const subject = identity('system:admin', ['system:masters']);
    const greedy = createSigningRequest({ subject, altNames, usages: ['clientAuth', 'serverAuth'] }, generateKey());
    for (const name of ['client-kubelet', 'serving-kubelet', 'client-kube-proxy', 'client-rfo-controller'] as const) {
      const [leaf] = certificateInfos(certificates.issue(name, greedy, agent));
      assert.ok(leaf);
      const all = [formatName(leaf.subject), ...leaf.altNames.map(formatAltName)].join();
      assert.doesNotMatch(all, /masters|admin|kubernetes|10\.43/);
      assert.equal(leaf.usages.length, 1);
      assert.equal(leaf.ca, false);
    }
  });

  it('is refused where a name or an address is one of the API server', async () => {
    const { node, certificates } = await prepare();
    using _ = node;
    const names = ['kubernetes', 'kubernetes.default.svc.cluster.local', 'k8s.example', 'node-1', 'server-3.example'];
    for (const nodeName of names)
      assert.throws(
        () => certificates.issue('serving-kubelet', plainRequest(), { nodeName, nodeIps: [] }),
        refused('join-name-reserved', new RegExp(nodeName)),
      );
    for (const ip of ['10.43.0.1', '192.0.2.7', '::ffff:192.0.2.7', '2001:db8:0::7', '198.51.100.1', '192.0.2.8', '2001:DB8::8'])
      assert.throws(
        () => certificates.issue('serving-kubelet', plainRequest(), readNodeIdentity({ name: 'agent-1', ips: `198.51.100.20, ${ip}` })),
        refused('join-name-reserved'),
      );
  });

  it('is refused where an address is that of a server which only has etcd', async () => {
    const { node, certificates } = await prepare();
    using _ = node;
    const issue = (ip: string): string => certificates.issue('serving-kubelet', plainRequest(), { nodeName: 'agent-1', nodeIps: [ip] });
    issue('192.0.2.60');
    const { etcdMembers } = node.paths.server;
    mkdirSync(dirname(etcdMembers), { recursive: true });
    writeFileSync(
      etcdMembers,
      JSON.stringify([{ id: '1', name: 'e', peerUrls: ['https://192.0.2.60:2380'], clientUrls: [], isLearner: false }]),
    );
    assert.throws(() => issue('192.0.2.60'), refused('join-name-reserved'));
    issue('192.0.2.61');
  });

  it('is refused for a request that is damaged or not signed by its own key', async () => {
    const { node, certificates } = await prepare();
    using _ = node;
    const request = plainRequest();
    request[request.length - 1] = (request.at(-1) ?? 0) ^ 1;
    for (const bad of [Buffer.alloc(0), Buffer.from('hello'), request, plainRequest().subarray(0, 60)])
      assert.throws(() => certificates.issue('client-kubelet', bad, agent), refused('signing-request-invalid'));
  });

  it('is refused for a key that is weak or of an unusual kind', async () => {
    const { node, certificates } = await prepare();
    using _ = node;
    const folder = mkdtempSync(join(tmpdir(), 'rfo-csr-'));
    const made = (name: string, key: readonly string[]): Buffer => {
      const [keyFile, file] = [join(folder, `${name}.key`), join(folder, name)];
      execFileSync('openssl', [...key, '-out', keyFile], { stdio: 'pipe' });
      execFileSync('openssl', ['req', '-new', '-key', keyFile, '-subj', '/CN=x', '-outform', 'DER', '-out', file], { stdio: 'pipe' });
      return readFileSync(file);
    };
    const curve = ['genpkey', '-algorithm', 'EC', '-pkeyopt'];
    const spelledOut = [...curve, 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'];
    const rsa = ['genpkey', '-algorithm', 'RSA', '-pkeyopt'];
    try {
      const bad = {
        'another curve': made('curve', [...curve, 'ec_paramgen_curve:secp256k1']),
        'a curve spelled out': made('explicit', spelledOut),
        'a short RSA key': made('short', [...rsa, 'rsa_keygen_bits:1024']),
        'an odd exponent': made('exponent', [...rsa, 'rsa_keygen_bits:2048', '-pkeyopt', 'rsa_keygen_pubexp:3']),
      };
      for (const [what, request] of Object.entries(bad))
        assert.throws(() => certificates.issue('client-kubelet', request, agent), refused('signing-request-invalid'), what);
      certificates.issue('client-kubelet', made('good', [...rsa, 'rsa_keygen_bits:2048']), agent);
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
      certificates.issue('client-kubelet', createSigningRequest({ subject: [] }, privateKey), agent);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is signed by the CA that lies on the disk now', async () => {
    const { node, certificates } = await prepare();
    using _ = node;
    const [, before] = certificateInfos(certificates.issue('client-kubelet', plainRequest(), agent));
    assert.equal(before?.serial, node.info('client-ca').serial);
    node.now += 3651 * 24 * hour;
    assert.equal(certificateInfos(certificates.issue('client-kubelet', plainRequest(), agent))[1]?.serial, before.serial);
    await node.ensure();
    const [leaf, after] = certificateInfos(certificates.issue('client-kubelet', plainRequest(), agent));
    assert.notEqual(after?.serial, before.serial);
    assert.equal(after?.serial, node.info('client-ca').serial);
    assert.ok(leaf && findChain(leaf, { roots: [after], now: node.now }));
  });

  it("brings a user's own CA and those above it, the root left out", async () => {
    const { node, certificates } = await prepare();
    using _ = node;
    const [rootKey, key] = [generateKey(), generateKey()];
    const dates = { notBefore: node.now - hour, notAfter: node.now + 9000 * hour, ca: {} };
    const publicOf = (of: typeof key): Buffer => publicKeyBytes(createPublicKey(of));
    const root = decodeCertificate(issueSelfSigned({ subject: identity('our root'), publicKey: publicOf(rootKey), ...dates }, rootKey));
    const own = issueCertificate({ subject: identity('our CA'), publicKey: publicOf(key), ...dates }, { certificate: root, key: rootKey });
    writeFileSync(node.path('client-ca.key'), encodeKey(key), { mode: 0o600 });
    writeFileSync(node.path('client-ca.crt'), [own, root.der].map((der) => encodePem('CERTIFICATE', der)).join(''));
    const chain = certificateInfos(certificates.issue('client-kubelet', plainRequest(), agent));
    assert.deepEqual(
      chain.map(({ subject }) => formatName(subject)),
      ['CN=system:node:agent-1,O=system:nodes', 'CN=our CA'],
    );
  });
});

describe('who asks', () => {
  it('is named in lower case, with addresses in one spelling', () => {
    assert.deepEqual(readNodeIdentity({ name: 'Agent-1', ips: '198.51.100.20, 2001:DB8:0::20,' }), agent);
    assert.deepEqual(readNodeIdentity({ name: 'agent-1', ips: undefined }).nodeIps, []);
    assert.deepEqual(readNodeIdentity({ name: 'agent-1', ips: '::ffff:198.51.100.20' }).nodeIps, ['198.51.100.20']);
  });

  it('is refused with a name or an address that is none', () => {
    for (const name of ['', undefined]) assert.throws(() => readNodeIdentity({ name, ips: '' }), refused('request-invalid'));
    for (const name of ['a b', 'a,O=system:masters', 'a\n', '-a', 'ä', `${'a'.repeat(64)}`])
      assert.throws(() => readNodeIdentity({ name, ips: '' }), refused('node-name-invalid'));
    for (const ips of ['1.2.3', 'localhost', '*', '::1%eth0', '1.2.3.4/8', Array(9).fill('192.0.2.1').join()])
      assert.throws(() => readNodeIdentity({ name: 'a', ips }), refused('request-invalid'));
  });
});
