import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { test } from 'node:test';
import { Life, silentLog, systemClock } from '@rfo/foundation';
import { createSigningRequest, encodePem, formatAltName, formatName, generateKey, hostNames, identity } from '@rfo/pki';
import type { ApiRequest } from '../api/types.ts';
import { readConfigFile } from '../keys/signing-config.ts';
import { loadIssuer } from './issuer.testing.ts';
import { startCa, type TestCa, testHost } from './nodes.testing.ts';
import { createRenewal, type RenewalOptions } from './renewal.ts';

/** A host that has joined, and how it asks for renewals by hand. */
async function joined(ca: TestCa, name: string) {
  const host = testHost(ca, { name, token: await ca.token({ node: name }) });
  const { code, output } = await host.join();
  assert.equal(code, 0, output);
  const ask = (profile: string, hosts: readonly string[] = [], as: 'client' | 'serving' | 'nobody' = 'client') => {
    const wish = { subject: identity('system:node:worker-1', ['system:masters']), altNames: hostNames(hosts) };
    const body = JSON.stringify({
      certificate_request: encodePem('CERTIFICATE REQUEST', createSigningRequest(wish, generateKey())),
      profile,
    });
    const pem = as === 'nobody' ? undefined : readFileSync(host.pki(`${as}.pem`), 'utf8');
    return post(
      ca,
      body,
      pem === undefined ? {} : { cert: pem, key: String(createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' })) },
    );
  };
  return { ...host, ask };
}

function post(ca: TestCa, body: string, identityOf: { cert?: string; key?: string }): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', ca: encodePem('CERTIFICATE', ca.authority.der), agent: false, ...identityOf };
    const outgoing = request(`${ca.url}/api/v1/rfo/renew`, options, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text })).on('error', reject);
    });
    outgoing.on('error', reject).end(body);
  });
}

test('the script renews what is due, with new keys, and leaves the rest', { timeout: 120_000 }, async () => {
  await using life = new Life();
  const ca = await startCa(life);
  const host = await joined(ca, 'worker-1');
  const before = { client: host.certificate('client'), serving: host.certificate('serving') };
  const left = Number(readFileSync(host.pki('client.due'), 'utf8'));
  assert.ok(Math.abs(left - (30 * 86_400) / 3) < 86_400, `a third of 30 days, not ${left} s`);
  const idle = await host.renew();
  assert.deepEqual([idle.code, host.certificate('client').serial], [0, before.client.serial], idle.output);

  for (const kind of ['client', 'serving'] as const) host.setDue(kind, 40 * 86_400);
  const ran = await host.renew();
  assert.equal(ran.code, 0, ran.output);
  for (const kind of ['client', 'serving'] as const) {
    const after = host.certificate(kind);
    assert.notEqual(after.serial, before[kind].serial);
    assert.notDeepEqual(after.publicKey, before[kind].publicKey);
    assert.deepEqual([formatName(after.subject), after.usages], [formatName(before[kind].subject), before[kind].usages]);
    assert.deepEqual(after.altNames.map(formatAltName), before[kind].altNames.map(formatAltName));
    // The key in the same file is its own.
    createPrivateKey(readFileSync(host.pki(`${kind}.pem`), 'utf8'));
    assert.ok(Number(readFileSync(host.pki(`${kind}.due`), 'utf8')) < 11 * 86_400);
  }
  assert.equal(ca.store.list({ node: 'worker-1' }).length, 4);
  const renewals = ca.audit().filter(({ act, result }) => act === 'renew' && result === 'done');
  assert.deepEqual(
    renewals.map(({ node, profile }) => [node, profile]),
    [
      ['worker-1', 'kubelet-client'],
      ['worker-1', 'kubelet-serving'],
    ],
  );
});

test('a host that cannot reach its CA keeps what it has, and says so', { timeout: 120_000 }, async () => {
  await using life = new Life();
  const host = await (async () => {
    await using short = new Life();
    const ca = await startCa(short);
    const made = await joined(ca, 'worker-1');
    const files = ['client.pem', 'serving.pem', 'ca.pem', 'client.due', 'serving.due'].map(
      (name) => [name, readFileSync(made.pki(name))] as const,
    );
    return { files, url: ca.url };
  })();
  const ca = await startCa(life);
  const other = await joined(ca, 'worker-1');
  for (const [name, content] of host.files) writeFileSync(other.pki(name), content);
  other.setDue('client', 40 * 86_400);
  // What answers now is another CA under the same kind of address: it is not trusted, and nothing is replaced.
  const ran = await other.renew();
  assert.equal(ran.code, 1);
  assert.match(ran.output, /does not answer/);
  assert.deepEqual(readFileSync(other.pki('client.pem')), host.files[0]?.[1]);
});

test('a node gets its own names and what it has already, whatever it asks for', { timeout: 120_000 }, async () => {
  await using life = new Life();
  const ca = await startCa(life);
  const host = await joined(ca, 'worker-1');
  const cases = [
    { ask: ['kubelet-client', ['worker-1', '127.0.0.1']], status: 200 },
    { ask: ['kubelet-serving', ['worker-1', 'worker-1.example', '127.0.0.1']], status: 200 },
    { ask: ['kubelet-serving', ['worker-2']], status: 400, says: /5500.*worker-2/ },
    { ask: ['kubelet-serving', ['192.0.2.1']], status: 400, says: /5500.*192\.0\.2\.1/ },
    // Client and server in one, which it has not.
    { ask: ['kubelet', []], status: 400, says: /5500/ },
    { ask: ['client', []], status: 400, says: /5200.*rfo_bind/ },
    { ask: ['nothing', []], status: 400, says: /5200/ },
  ] as const;
  for (const { ask, status, ...rest } of cases) {
    const answer = await host.ask(...(ask as unknown as [string, string[]]));
    assert.equal(answer.status, status, answer.text);
    if ('says' in rest) assert.match(answer.text, rest.says);
  }
  for (const { commonName } of ca.store.list({})) assert.match(commonName, /^system:node:worker-1$|^127\.0\.0\.1$|OCSP|ocsp/);
  assert.equal((await post(ca, 'nonsense', {})).status, 401);
});

test('nobody renews with a certificate that is none of a node, or not a client’s, or revoked', { timeout: 120_000 }, async () => {
  await using life = new Life();
  const ca = await startCa(life);
  const host = await joined(ca, 'worker-1');
  assert.equal((await host.ask('kubelet-client', [], 'nobody')).status, 401);
  assert.equal((await host.ask('kubelet-client', [], 'serving')).status, 401);
  const before = ca.store.list({ node: 'worker-1' });
  for (const { serial, authorityKeyId } of before) await ca.store.revoke({ serial, authorityKeyId }, { reason: 1, at: Date.now() });
  const answer = await host.ask('kubelet-client');
  assert.equal(answer.status, 403);
  assert.match(answer.text, /the certificate is revoked/);
  host.setDue('client', 40 * 86_400);
  const ran = await host.renew();
  assert.deepEqual([ran.code, /status 403/.test(ran.output)], [1, true], ran.output);
  assert.equal(ca.store.list({ node: 'worker-1' }).length, before.length);
  assert.equal(ca.audit().filter(({ act, result }) => act === 'renew' && result === 'refused').length, 4);
});

test('a revocation that comes while the new certificate is signed wins', { timeout: 120_000 }, async () => {
  await using life = new Life();
  const ca = await startCa(life);
  const host = await joined(ca, 'worker-1');
  const certificate = host.certificate('client');
  const [record] = ca.store.list({ node: 'worker-1', serial: BigInt(`0x${certificate.serial}`).toString() });
  assert.ok(record);
  const issuer = await loadIssuer(ca.folder);
  const options: RenewalOptions = {
    config: await readConfigFile(`${ca.folder}/ca-config.json`, { env: {} }),
    clock: systemClock,
    log: silentLog,
    records: { store: ca.store, tokens: ca.tokens, audit: ca.auditLog },
    authorities: () => encodePem('CERTIFICATE', ca.authority.der),
    authority: {
      certificate: ca.authority,
      issuer: {
        issue: async (...wish) => {
          const issued = await issuer.issue(...wish);
          await ca.store.revoke(record, { reason: 1, at: Date.now() });
          return issued;
        },
      },
    },
  };
  const pem = encodePem('CERTIFICATE REQUEST', createSigningRequest({ subject: identity('system:node:worker-1') }, generateKey()));
  const call: ApiRequest = {
    body: Buffer.from(JSON.stringify({ certificate_request: pem, profile: 'kubelet-client' })),
    query: new URLSearchParams(),
    headers: {},
    remote: '127.0.0.1',
    client: { commonName: 'system:node:worker-1', organizations: ['system:nodes'], certificate, operator: false },
    signal: life.signal,
  };
  const before = ca.store.list({ node: 'worker-1' }).length;
  await assert.rejects(createRenewal(options).handle(call), /the certificate is revoked/);
  assert.equal(ca.store.list({ node: 'worker-1' }).length, before);
});
