import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { isSignedBy } from '@rfo/pki';
import { changesOf, day, inputs, start, TestNode } from './node.testing.ts';
import { certificateNames, certificateTable, leafNames } from './table.ts';

describe('certificates of a node', () => {
  it('are made at first and kept afterwards', async () => {
    using node = new TestNode();
    const first = await node.ensure();
    assert.equal(changesOf(first).length, certificateNames.length + 1);
    assert.ok([...first.certificates, first.serviceKey].every(({ action, reason }) => action === 'created' && reason === 'there was none'));
    const before = certificateNames.map((name) => node.read(`${name}.crt`) + node.read(`${name}.key`));
    node.now += 200 * day;
    assert.deepEqual(changesOf(await node.ensure()), []);
    assert.deepEqual(
      certificateNames.map((name) => node.read(`${name}.crt`) + node.read(`${name}.key`)),
      before,
    );
  });

  it('are verified by openssl, each for what it is used for', async () => {
    using node = new TestNode();
    await node.ensure();
    for (const name of leafNames) {
      const { signer, usages } = certificateTable[name];
      for (const usage of usages) {
        const args = [
          'verify',
          '-x509_strict',
          '-purpose',
          usage === 'serverAuth' ? 'sslserver' : 'sslclient',
          '-attime',
          String(start / 1000),
        ];
        const said = execFileSync('openssl', [...args, '-CAfile', node.path(`${signer}.crt`), node.path(`${name}.crt`)], {
          encoding: 'utf8',
        });
        assert.match(said, /: OK\n$/);
      }
    }
  });

  it('carry a handshake in which both sides are verified', async () => {
    using node = new TestNode();
    node.now = Date.now();
    await node.ensure();
    const [server, clientCa] = [node.read('serving-kube-apiserver.crt'), node.read('client-ca.crt')];
    const https = createServer({ cert: server, key: node.read('serving-kube-apiserver.key'), ca: clientCa, requestCert: true });
    https.listen(0, '127.0.0.1');
    await once(https, 'listening');
    const { port } = https.address() as AddressInfo;
    const identity = { cert: node.read('client-admin.crt'), key: node.read('client-admin.key') };
    const socket = connect({ host: '127.0.0.1', port, servername: 'kubernetes.default', ca: node.read('server-ca.crt'), ...identity });
    const [peer] = (await once(https, 'secureConnection')) as [TLSSocket];
    if (!socket.authorized) await once(socket, 'secureConnect');
    assert.deepEqual([peer.getPeerCertificate().subject.O, socket.authorized], ['system:masters', true]);
    socket.destroy();
    https.close();
  });

  it('are renewed under the same keys when a third of their life is left', async () => {
    using node = new TestNode();
    await node.ensure();
    const keys = leafNames.map((name) => node.read(`${name}.key`));
    node.now = start + 243 * day;
    assert.deepEqual(changesOf(await node.ensure()), []);
    node.now = start + 244 * day;
    const renewed = await node.ensure();
    assert.deepEqual(
      changesOf(renewed),
      leafNames.map((name) => `${name}: renewed (ends at 2027-11-21T10:00:00Z)`),
    );
    assert.deepEqual(
      leafNames.map((name) => node.read(`${name}.key`)),
      keys,
    );
    for (const name of leafNames) {
      assert.equal(node.info(name).notAfter, node.now + 365 * day);
      assert.ok(isSignedBy(node.info(name), node.info(certificateTable[name].signer)));
    }
    assert.deepEqual(changesOf(await node.ensure()), []);
  });

  it('are renewed at the share of life that was asked for', async () => {
    using node = new TestNode();
    await node.ensure({ renewal: 0.1, leafLifetime: 100 * day });
    node.now += 89 * day;
    assert.deepEqual(changesOf(await node.ensure({ renewal: 0.1 })), []);
    node.now += 2 * day;
    assert.equal(changesOf(await node.ensure({ renewal: 0.1 })).length, leafNames.length);
  });

  it('that live for a minute are not due at once', async () => {
    using node = new TestNode();
    await node.ensure({ leafLifetime: 60_000 });
    node.now += 37_000;
    assert.deepEqual(changesOf(await node.ensure({ leafLifetime: 60_000 })), []);
    node.now += 2_000;
    assert.equal(changesOf(await node.ensure({ leafLifetime: 60_000 })).length, leafNames.length);
  });

  it('that expired while the node was off are renewed', async () => {
    using node = new TestNode();
    await node.ensure();
    node.now = start + 800 * day;
    assert.deepEqual(
      changesOf(await node.ensure()),
      leafNames.map((name) => `${name}: renewed (expired at 2027-11-21T10:00:00Z)`),
    );
    assert.deepEqual(changesOf(await node.ensure()), []);
  });

  it('whose CAs ended as well are all renewed, the CAs under their old keys and names', async () => {
    using node = new TestNode();
    await node.ensure();
    const [ca, admin] = [node.info('client-ca'), node.info('client-admin')];
    node.now = start + 3651 * day;
    const items = await node.ensure();
    assert.equal(changesOf(items).length, certificateNames.length);
    assert.ok(items.certificates.every(({ action, reason }) => action === 'renewed' && reason.startsWith('expired at')));
    const renewed = node.info('client-ca');
    assert.deepEqual([renewed.publicKey, renewed.rawSubject, renewed.subjectKeyId], [ca.publicKey, ca.rawSubject, ca.subjectKeyId]);
    assert.ok(isSignedBy(admin, renewed) && isSignedBy(node.info('client-admin'), ca));
  });

  it('made while the clock ran ahead are made again', async () => {
    using node = new TestNode();
    await node.ensure();
    node.now = start - day;
    const items = await node.ensure();
    assert.equal(changesOf(items).length, certificateNames.length);
    assert.equal(items.certificates[0]?.reason, 'not valid before 2026-11-21T09:55:00Z: the clock was set back');
    assert.ok(certificateNames.every((name) => node.info(name).notBefore < node.now));
  });

  it('are issued anew, under the same key, when their names change', async () => {
    using node = new TestNode();
    await node.ensure();
    const key = node.read('serving-kube-apiserver.key');
    const change = { inputs: { ...inputs, tlsSans: ['k8s.example', '203.0.113.9'] } };
    assert.deepEqual(changesOf(await node.ensure(change)), [
      'serving-kube-apiserver: regenerated (its names changed: +IP:203.0.113.9 -IP:198.51.100.1)',
    ]);
    assert.equal(node.read('serving-kube-apiserver.key'), key);
    assert.deepEqual(changesOf(await node.ensure({ inputs: { ...change.inputs, tlsSans: ['203.0.113.9', 'K8S.example'] } })), []);
    const moved = await node.ensure({
      inputs: { ...change.inputs, nodeIps: ['192.0.2.8', '2001:DB8:0::7'], advertiseAddress: '192.0.2.8' },
    });
    assert.deepEqual(
      changesOf(moved).map((line) => line.split(':')[0]),
      ['serving-kubelet', 'serving-kube-apiserver', 'etcd/server-client', 'etcd/peer-server-client'],
    );
  });

  it('are issued anew when the node has another name', async () => {
    using node = new TestNode();
    await node.ensure();
    const lines = changesOf(await node.ensure({ inputs: { ...inputs, nodeName: 'node-2' } }));
    assert.equal(lines[0], 'client-kubelet: regenerated (its subject was CN=system:node:node-1,O=system:nodes)');
    assert.equal(lines.length, 5);
  });

  it('are issued anew when their CA was replaced', async () => {
    using node = new TestNode();
    await node.ensure();
    for (const file of ['etcd/server-ca.crt', 'etcd/server-ca.key']) rmSync(node.path(file));
    assert.deepEqual(changesOf(await node.ensure()), [
      'etcd/server-ca: created (there was none)',
      'etcd/client: regenerated (it is signed by another CA)',
      'etcd/server-client: regenerated (it is signed by another CA)',
    ]);
    assert.ok(isSignedBy(node.info('etcd/client'), node.info('etcd/server-ca')));
  });

  it('are issued anew when a file of theirs is missing, foreign or broken', async () => {
    using node = new TestNode();
    await node.ensure();
    rmSync(node.path('client-admin.key'));
    rmSync(node.path('client-scheduler.crt'));
    writeFileSync(node.path('client-controller.crt'), '');
    writeFileSync(node.path('client-kube-proxy.key'), '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n');
    writeFileSync(node.path('client-supervisor.key'), node.read('client-kubelet.key'));
    assert.deepEqual(changesOf(await node.ensure()), [
      'client-admin: regenerated (its key is missing)',
      'client-supervisor: regenerated (it is of another key)',
      'client-controller: regenerated (it cannot be read)',
      'client-scheduler: created (there was none)',
      'client-kube-proxy: regenerated (its key cannot be read)',
    ]);
    assert.deepEqual(changesOf(await node.ensure()), []);
    assert.equal(statSync(node.path('client-kube-proxy.key')).mode & 0o777, 0o600);
  });

  it('come from a CA of the user, with the chain up to its root', async () => {
    using node = new TestNode();
    using other = new TestNode();
    await other.ensure();
    mkdirSync(node.paths.server.tls, { recursive: true });
    const openssl = (...args: string[]): string =>
      execFileSync('openssl', args, { cwd: node.paths.server.tls, encoding: 'utf8', stdio: 'pipe' });
    const [ca, key] = [other.path('client-ca.crt'), other.path('client-ca.key')];
    openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'client-ca.key', '-out', 'csr', '-subj', '/O=Acme/CN=issuing');
    writeFileSync(
      node.path('ext'),
      'basicConstraints=critical,CA:true,pathlen:0\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n',
    );
    const issuing = openssl('x509', '-req', '-in', 'csr', '-CA', ca, '-CAkey', key, '-days', '3650', '-extfile', 'ext', '-set_serial', '7');
    writeFileSync(node.path('client-ca.crt'), issuing + other.read('client-ca.crt'));
    node.now = Date.now();
    assert.ok(changesOf(await node.ensure()).every((line) => !line.startsWith('client-ca:')));
    assert.equal(node.read('client-ca.crt'), issuing + other.read('client-ca.crt'));
    assert.equal(node.read('client-admin.crt').match(/BEGIN/g)?.length, 2);
    const args = ['verify', '-no_check_time', '-CAfile', ca, '-untrusted', node.path('client-admin.crt'), node.path('client-admin.crt')];
    assert.match(openssl(...args), /OK/);
    assert.match(openssl('x509', '-in', 'client-admin.crt', '-noout', '-text'), /Signature Algorithm: sha256WithRSAEncryption/);
    assert.deepEqual(changesOf(await node.ensure()), []);
    node.now += 3651 * day;
    await assert.rejects(node.ensure(), {
      code: 'authority-unusable',
      message: /client-ca\.crt cannot be used: expired at .*Let its own CA issue it anew/,
    });
  });

  it('are left alone when a CA is broken, which is said', async () => {
    using node = new TestNode();
    await node.ensure();
    const [admin, key] = [node.read('client-admin.crt'), node.read('client-ca.key')];
    node.now += 300 * day;
    rmSync(node.path('client-ca.key'));
    await assert.rejects(node.ensure(), {
      code: 'authority-unusable',
      message: /client-ca\.crt cannot be used: its key .*client-ca\.key is missing/,
    });
    writeFileSync(node.path('client-ca.key'), node.read('server-ca.key'));
    await assert.rejects(node.ensure(), { code: 'authority-unusable', message: /client-ca\.key is the key of another one/ });
    writeFileSync(node.path('client-ca.key'), 'x');
    await assert.rejects(node.ensure(), { code: 'key-unreadable' });
    writeFileSync(node.path('client-ca.key'), node.read('client-admin.key'));
    writeFileSync(node.path('client-ca.crt'), admin);
    await assert.rejects(node.ensure(), { code: 'authority-unusable', message: /not that of a CA/ });
    assert.equal(node.read('client-admin.crt'), admin);
    assert.notEqual(node.read('client-ca.key'), key);
  });

  it('keep the old file when the new one cannot be written', async () => {
    using node = new TestNode();
    await node.ensure();
    const before = node.read('client-admin.crt');
    mkdirSync(node.path('client-admin.crt.tmp'));
    node.now += 300 * day;
    await assert.rejects(node.ensure(), { code: 'certificate-unwritable', message: /cannot write .*client-admin\.crt/ });
    assert.equal(node.read('client-admin.crt'), before);
    rmSync(node.path('client-admin.crt.tmp'), { recursive: true });
    assert.equal(changesOf(await node.ensure()).length, leafNames.length);
  });

  it('have keys that nobody else may read, whatever was done to them', async () => {
    using node = new TestNode();
    await node.ensure();
    for (const file of ['service.key', 'client-admin.key', 'server-ca.key']) chmodSync(node.path(file), 0o644);
    await node.ensure();
    for (const file of ['service.key', 'client-admin.key', 'server-ca.key']) assert.equal(statSync(node.path(file)).mode & 0o777, 0o600);
  });

  it('refuse a name that no certificate can hold', async () => {
    using node = new TestNode();
    await assert.rejects(node.ensure({ inputs: { ...inputs, tlsSans: ['k8s example'] } }), { code: 'alt-name-invalid' });
  });

  it('say of each change who takes it how', async () => {
    using node = new TestNode();
    await node.ensure();
    const how = async (): Promise<Record<string, string>> => {
      const { certificates } = await node.ensure();
      const named = ['client-scheduler', 'etcd/server-client', 'client-admin'];
      const uses = certificates.filter(({ name }) => named.includes(name)).flatMap(({ usedBy }) => usedBy);
      return Object.fromEntries(uses.map(({ component, takes }) => [component, takes]));
    };
    node.now = start + 300 * day;
    assert.deepEqual(await how(), { 'kube-scheduler': 'hot', 'etcd': 'hot', 'rfo': 'callback' });
    node.now += 365 * day - 100_000;
    assert.deepEqual(
      await how(),
      { 'kube-scheduler': 'restart', 'etcd': 'hot', 'rfo': 'callback' },
      'it would look again in 5 minutes: too late',
    );
  });
});
