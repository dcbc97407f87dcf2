import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { certificateInfo, decodeKey, encodePem, issueSelfSigned, publicKeyBytes } from '@rfo/pki';
import { TestNode } from '../certificates/node.testing.ts';
import type { BootstrapData } from '../supervisor/api.ts';
import { bootstrapFiles, readBootstrapData } from '../supervisor/bootstrap-data.ts';
import { type BootstrapOptions, finishBootstrapFiles, writeBootstrapFiles } from './bootstrap-files.ts';
import { day, memoryLog, startTestSupervisor, TestServerFiles, testClient } from './join.testing.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function shared(cluster: TestServerFiles, change: BootstrapData = {}): Promise<Omit<BootstrapOptions, 'paths'>> {
  const data = { ...(await readBootstrapData(cluster.paths)), ...change };
  return { data, authority: cluster.ca, server: 'https://192.0.2.7:9345', log: silentLog };
}

describe('the files of a cluster on a server that joins', () => {
  it('are those of the server that it joins through, with which its own certificates are made', async () => {
    await using life = new Life();
    const supervisor = await startTestSupervisor(life);
    const { files } = supervisor;
    using joiner = new TestNode();
    joiner.now = Date.now();
    const data = await testClient(life, supervisor).bootstrap('0123456789abcdef0123456789abcdef');
    const { paths } = joiner;
    const written = await writeBootstrapFiles({ data, paths, authority: files.ca, server: 'https://a', log: silentLog });
    assert.deepEqual([...written].sort(), [...bootstrapFiles(paths)].sort());
    for (const name of written) {
      const [own, theirs] = [join(paths.server.root, name), join(files.paths.server.root, name)];
      assert.deepEqual(readFileSync(own), readFileSync(theirs), name);
      assert.equal(statSync(own).mode & 0o777, name.endsWith('.crt') ? 0o644 : 0o600, name);
    }
    const { certificates } = await joiner.ensure();
    const kept = certificates.filter(({ kind }) => kind === 'authority').map(({ action }) => action);
    assert.deepEqual(kept, ['kept', 'kept', 'kept', 'kept', 'kept']);
    assert.equal(existsSync(paths.server.bootstrapStaging) || existsSync(paths.server.bootstrapReady), false);
    const again = await writeBootstrapFiles({ data, paths, authority: files.ca, server: 'https://a', log: silentLog });
    assert.deepEqual(again, []);
  });

  it('are only those whose names we know: no path comes from the network', async () => {
    using cluster = await TestServerFiles.create();
    using joiner = new TestNode();
    const { log, lines } = memoryLog();
    const evil = {
      '../../evil': base64('x'),
      '/tmp/rfo-evil': base64('x'),
      'tls/../../evil': base64('x'),
      'manifests/evil.yaml': base64('x'),
    };
    await writeBootstrapFiles({ ...(await shared(cluster, evil)), paths: joiner.paths, log });
    assert.equal(existsSync('/tmp/rfo-evil') || existsSync(join(joiner.paths.data, 'evil')), false);
    assert.equal(
      existsSync(join(joiner.paths.server.manifests, 'evil.yaml')) || existsSync(join(dirname(joiner.paths.data), 'evil')),
      false,
    );
    assert.match(lines.join(), /shares more files than this version knows of.*count=4/);
  });

  it('are none at all where one of them cannot be used', async () => {
    using cluster = await TestServerFiles.create();
    using other = await TestServerFiles.create();
    using joiner = new TestNode();
    const good = await shared(cluster);
    const { 'cred/passwd': _, ...incomplete } = good.data;
    const wrong: readonly [RegExp, Partial<BootstrapOptions>][] = [
      [/cred\/passwd is missing/, { data: incomplete }],
      [/tls\/service.key is empty/, { data: { ...good.data, 'tls/service.key': '' } }],
      [/client-ca.key is the key of another CA/, { data: { ...good.data, 'tls/client-ca.key': base64(other.read('client-ca.key')) } }],
      [
        /server-ca.crt/,
        { data: { ...good.data, 'tls/server-ca.crt': base64('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') } },
      ],
      [/client-ca.crt is no CA/, { data: { ...good.data, 'tls/client-ca.crt': base64(cluster.read('client-admin.crt')) } }],
      [/encryption-config.json is not JSON/, { data: { ...good.data, 'cred/encryption-config.json': base64('{') } }],
      [/its CA of servers is not the one it shows/, { authority: other.ca }],
    ];
    for (const [message, change] of wrong) {
      await assert.rejects(writeBootstrapFiles({ ...good, paths: joiner.paths, ...change }), { code: 'bootstrap-invalid', message });
    }
    assert.equal(existsSync(joiner.paths.server.root), false);
  });

  it('never replace the CAs of another cluster: what differs is named', async () => {
    using cluster = await TestServerFiles.create();
    using other = await TestServerFiles.create();
    const before = readFileSync(other.path('server-ca.crt'));
    await assert.rejects(writeBootstrapFiles({ ...(await shared(cluster)), paths: other.paths }), (error: Error) => {
      for (const name of ['server-ca', 'client-ca', 'request-header-ca', 'etcd/server-ca', 'etcd/peer-ca']) {
        assert.match(error.message, new RegExp(`tls/${name}.crt is CN=.* here, CN=.* in the cluster`));
      }
      return true;
    });
    assert.deepEqual(readFileSync(other.path('server-ca.crt')), before);
  });

  it('replace a CA that the cluster prolonged, and what else changed in it', async () => {
    using cluster = await TestServerFiles.create();
    using joiner = new TestNode();
    const { paths } = joiner;
    await writeBootstrapFiles({ ...(await shared(cluster)), paths });
    const { rawSubject: subject } = certificateInfo(cluster.ca);
    const key = decodeKey(cluster.read('server-ca.key'), 'server-ca.key');
    const publicKey = publicKeyBytes(createPublicKey(key));
    const prolonged = encodePem(
      'CERTIFICATE',
      issueSelfSigned({ subject, publicKey, notBefore: 0, notAfter: Date.now() + 9999 * day, ca: {} }, key),
    );
    const change = { 'tls/server-ca.crt': base64(prolonged), 'cred/passwd': base64('new') };
    const written = await writeBootstrapFiles({ ...(await shared(cluster, change)), authority: prolonged, paths });
    assert.deepEqual([...written].sort(), ['cred/passwd', 'tls/server-ca.crt']);
    assert.equal(readFileSync(join(paths.server.tls, 'server-ca.crt'), 'utf8'), prolonged);
  });

  it('are completed at the next start after a crash in the middle of moving them', async () => {
    using cluster = await TestServerFiles.create();
    using joiner = new TestNode();
    const { paths } = joiner;
    await writeBootstrapFiles({ ...(await shared(cluster)), paths });
    const late = ['tls/server-ca.crt', 'tls/etcd/peer-ca.key', 'cred/passwd'];
    for (const name of late) {
      mkdirSync(dirname(join(paths.server.bootstrapReady, name)), { recursive: true });
      renameSync(join(paths.server.root, name), join(paths.server.bootstrapReady, name));
    }
    await finishBootstrapFiles(paths);
    for (const name of late)
      assert.deepEqual(readFileSync(join(paths.server.root, name)), readFileSync(join(cluster.paths.server.root, name)));
    assert.equal(existsSync(paths.server.bootstrapReady), false);
  });

  it('begin from nothing after a crash before they were complete', async () => {
    using cluster = await TestServerFiles.create();
    using joiner = new TestNode();
    const { paths } = joiner;
    mkdirSync(join(paths.server.bootstrapStaging, 'tls'), { recursive: true });
    writeFileSync(join(paths.server.bootstrapStaging, 'tls', 'server-ca.crt'), 'half');
    await finishBootstrapFiles(paths);
    assert.equal(existsSync(paths.server.tls), false);
    const written = await writeBootstrapFiles({ ...(await shared(cluster)), paths });
    assert.equal(written.length, bootstrapFiles(paths).length);
    assert.equal(readFileSync(join(paths.server.tls, 'server-ca.crt'), 'utf8'), cluster.ca);
  });
});
