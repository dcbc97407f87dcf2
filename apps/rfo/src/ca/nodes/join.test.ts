/** Hosts join a real CA by the scripts of their user data, and are refused where they must be. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { Life, sleep } from '@rfo/foundation';
import { formatAltName, formatName } from '@rfo/pki';
import { startCa, testHost } from './nodes.testing.ts';

const serials = (ca: Awaited<ReturnType<typeof startCa>>, node: string): number => ca.store.list({ node }).length;

test('a host gets two certificates of its own by its token, whatever the shell is', { timeout: 120_000 }, async () => {
  await using life = new Life();
  const ca = await startCa(life);
  const shells = [['dash'], ['busybox', 'sh'], ['bash', '--posix']] as const;
  for (const [index, shell] of shells.entries()) {
    const name = `worker-${index}`;
    const host = testHost(ca, { name, token: await ca.token({ node: name }), shell });
    const ran = await host.join();
    assert.equal(ran.code, 0, ran.output);
    const [client, serving] = [host.certificate('client'), host.certificate('serving')];
    for (const certificate of [client, serving]) assert.equal(formatName(certificate.subject), `CN=system:node:${name},O=system:nodes`);
    assert.deepEqual([client.usages, client.altNames], [['clientAuth'], []]);
    assert.deepEqual([serving.usages, serving.altNames.map(formatAltName)], [['serverAuth'], [`DNS:${name}`, 'IP:127.0.0.1']]);
    assert.notDeepEqual(client.publicKey, serving.publicKey);
    for (const kind of ['client', 'serving']) {
      execFileSync('openssl', ['verify', '-CAfile', host.pki('ca.pem'), host.pki(`${kind}.pem`)], { stdio: 'pipe' });
      assert.equal(statSync(host.pki(`${kind}.pem`)).mode & 0o777, 0o600);
    }
    assert.equal(serials(ca, name), 2);
  }
});

test('a host that lost power on its way goes on where it was', { timeout: 120_000 }, async () => {
  await using life = new Life();
  const ca = await startCa(life);
  const host = testHost(ca, { name: 'worker-1', token: await ca.token({ node: 'worker-1' }) });
  const first = await host.steps('fetch_authority\naddress=127.0.0.1\nobtain client "$CLIENT_PROFILE"\nrm "$pki/client.pem"');
  assert.equal(first.code, 0, first.output);
  // The answer was lost: the same key gets the same certificate again.
  const again = await host.join();
  assert.equal(again.code, 0, again.output);
  assert.equal(serials(ca, 'worker-1'), 2);
  const { serial } = host.certificate('client');
  assert.equal((await host.join()).code, 0);
  assert.equal(host.certificate('client').serial, serial);
});

test('nothing is sent to a CA that is not the pinned one', { timeout: 120_000 }, async () => {
  await using life = new Life();
  const ca = await startCa(life);
  const host = testHost(ca, { name: 'worker-1', token: await ca.token({ node: 'worker-1' }), pin: 'e'.repeat(64) });
  const ran = await host.steps('fetch_authority');
  assert.notEqual(ran.code, 0);
  assert.match(ran.output, /is another CA: the SHA-256 of its key is [0-9a-f]{64}, nothing was sent to it/);
  assert.equal(host.has('ca.pem'), false);
  assert.equal(
    ca.audit().some(({ act }) => act === 'authsign'),
    false,
  );
});

test('a used, an expired, a wrong, a deleted and somebody else’s token are refused, audited, and give nothing', {
  timeout: 120_000,
}, async () => {
  await using life = new Life();
  const ca = await startCa(life);
  const used = await ca.token({ node: 'worker-*' });
  assert.equal((await testHost(ca, { name: 'worker-1', token: used }).join()).code, 0);
  const until = Date.now() + 2_000;
  const soon = await ca.token({ node: 'worker-3', expiresAt: until });
  const gone = await ca.token({ node: 'worker-4' });
  const { id = '' } = ca.tokens.list().find(({ node }) => node === 'worker-4') ?? {};
  await ca.tokens.delete(id);
  await sleep(Math.max(0, until - Date.now()) + 10, life.signal);
  const cases = [
    { what: 'used', name: 'worker-2', token: used, reason: /is used up/ },
    { what: 'expired', name: 'worker-3', token: soon, reason: /expired at/ },
    { what: 'deleted', name: 'worker-4', token: gone, reason: /invalid token/ },
    { what: 'guessed', name: 'worker-5', token: 'f'.repeat(64), reason: /invalid token/ },
    { what: 'stolen', name: 'worker-6', token: await ca.token({ node: 'worker-7' }), reason: /worker-6/ },
    {
      what: 'for other addresses',
      name: 'worker-8',
      token: await ca.token({ node: 'worker-8', addresses: ['192.0.2.0/24'] }),
      reason: /127\.0\.0\.1/,
    },
  ];
  for (const { what, name, token, reason } of cases) {
    const ran = await testHost(ca, { name, token }).join();
    assert.equal(ran.code, 3, `${what}: ${ran.output}`);
    const refused = ca.audit().filter(({ result }) => result === 'refused');
    assert.match(String(refused.at(-1)?.reason), reason, what);
    // Neither the audit log nor what the host says holds the secret.
    assert.ok(!JSON.stringify(ca.audit()).includes(token) && !ran.output.includes(token));
  }
  // The last one has got its client certificate, in which there are no addresses.
  for (const name of ['worker-2', 'worker-3', 'worker-4', 'worker-5', 'worker-6', 'worker-7']) assert.equal(serials(ca, name), 0, name);
  assert.equal(serials(ca, 'worker-8'), 1);
});
