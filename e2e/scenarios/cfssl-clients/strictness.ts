/** What RFO refuses by default where cfssl does not, each beside the server that is as lenient as cfssl. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { rfoCommand } from '../../harness/node.ts';
import { gencert, tryGencert } from './clients.ts';
import { operatorKey, sharedKey, signingConfig } from './config.ts';
import { ask, askAll, cfsslFolder, type Face, folder, lenient, type Stage, strict } from './faces.ts';
import { authenticated, type Inputs } from './inputs.ts';
import { issueKnown } from './same-answers.ts';

/** Gives the CA of `rfo ca init` the profiles of the scenario too, those without a key among them. */
export async function addProfiles({ host }: Stage): Promise<void> {
  const file = join(folder, 'ca-config.json');
  const made = JSON.parse(await host.readFile(file)) as { readonly signing: { readonly profiles: object }; readonly auth_keys: object };
  const { default: open, profiles } = signingConfig.signing;
  const config = {
    ...made,
    signing: { default: open, profiles: { ...made.signing.profiles, ...profiles } },
    auth_keys: { ...made.auth_keys, ...signingConfig.auth_keys },
  };
  await host.writeFile(file, JSON.stringify(config), '0600');
}

type Refusal = { readonly name: string; readonly path: string; readonly body: object; readonly code: number };

/** Each is done by the lenient server and refused by the strict one, with this code. */
export async function compareStrictness(stage: Stage, inputs: Inputs): Promise<void> {
  const known = await issueKnown(stage, lenient, inputs);
  const { csr, weakCsr, sha1Csr, masterCsr, stranger, strangerKey } = inputs;
  const revoke = { serial: known.serial, authority_key_id: known.authorityKeyId, reason: 'superseded' };
  const request = { CN: 'made', hosts: ['made.example'] };
  const list = { certificate: stranger, serialNumber: ['1'], issuingKey: strangerKey, expireTime: '86400' };
  const keyed = authenticated(JSON.stringify({ certificate_request: masterCsr, profile: 'kubelet', hosts: null }));
  const refusals: readonly Refusal[] = [
    { name: 'open-endpoints', path: 'newkey', body: request, code: 400 },
    { name: 'open-endpoints', path: 'newcert', body: { request, profile: 'www' }, code: 400 },
    { name: 'open-endpoints', path: 'init_ca', body: { CN: 'another' }, code: 400 },
    { name: 'open-endpoints', path: 'revoke', body: revoke, code: 400 },
    { name: 'open-endpoints', path: 'gencrl', body: list, code: 400 },
    { name: 'open-endpoints', path: 'ocspsign', body: { certificate: known.pem, status: 'good' }, code: 400 },
    { name: 'default-profile', path: 'sign', body: { certificate_request: csr, profile: 'unknown' }, code: 5400 },
    { name: 'any-subject', path: 'authsign', body: keyed, code: 5500 },
    { name: 'any-subject', path: 'sign', body: { certificate_request: csr, profile: 'www', subject: { CN: 'system:admin' } }, code: 5500 },
    { name: 'weak-keys', path: 'sign', body: { certificate_request: weakCsr, profile: 'www' }, code: 5300 },
    { name: 'weak-keys', path: 'sign', body: { certificate_request: sha1Csr, profile: 'www' }, code: 5300 },
    { name: 'local-targets', path: 'certinfo', body: { domain: '127.0.0.1:8888' }, code: 6000 },
  ];
  const answers = await askAll(
    stage,
    refusals.flatMap(({ path, body }) => [lenient, strict].map((face) => ({ face, path, body }))),
  );
  for (const [index, { name, path, code }] of refusals.entries()) {
    const [allowed, refused] = answers.slice(index * 2);
    assert.equal(allowed?.status, 200, `${name}, ${path}, lenient: ${allowed?.body}`);
    assert.equal(refused?.status, 400, `${name}, ${path}, strict: ${refused?.body}`);
    const { errors } = JSON.parse(refused.body) as { readonly errors: readonly { readonly code: number }[] };
    assert.equal(errors[0]?.code, code, `${name}, ${path}, strict: ${refused.body}`);
  }
  // certadd: a certificate that the database has already would be refused for that.
  const unauthenticated = await ask(stage, strict, 'certadd', {});
  assert.match(unauthenticated.body, /invalid token/);
  await assertOutlives(stage, inputs);
  await assertTlsOnly(stage);
  await assertEmptyKeys(stage);
}

/** With the key of a profile, the same endpoints answer. */
export async function useAuthenticated(stage: Stage): Promise<void> {
  const wish = JSON.stringify({ CN: 'made', hosts: ['made.example'] });
  const answer = await ask(stage, strict, 'newkey', authenticated(wish, operatorKey));
  assert.equal(answer.status, 200, answer.body);
  assert.match(answer.body, /PRIVATE KEY/);
  // What stands in the user data of nodes is no such key.
  const shared = await ask(stage, strict, 'newkey', authenticated(wish, sharedKey));
  assert.deepEqual([shared.status, /invalid token/.test(shared.body)], [400, true]);
}

/** A certificate of a hundred years: from the strict server it ends with the CA, if it is given at all. */
async function assertOutlives(stage: Stage, { csr }: Inputs): Promise<void> {
  const endOf = async (face: Face): Promise<number> => {
    const { status, body } = await ask(stage, face, 'sign', { certificate_request: csr, profile: 'forever' });
    assert.equal(status, 200, body);
    const { certificate } = (JSON.parse(body) as { readonly result: { readonly certificate: string } }).result;
    const info = await ask(stage, lenient, 'certinfo', { certificate });
    return Date.parse((JSON.parse(info.body) as { readonly result: { readonly not_after: string } }).result.not_after);
  };
  const ca = await stage.host.must(['openssl', 'x509', '-in', join(folder, 'ca.pem'), '-noout', '-enddate']);
  const end = Date.parse(ca.replace('notAfter=', ''));
  assert.ok((await endOf(lenient)) > end);
  assert.ok((await endOf(strict)) <= end);
}

async function assertTlsOnly(stage: Stage): Promise<void> {
  const plain = { url: `${strict.url.replace('https:', 'http:')}/api/v1/cfssl/health`, method: 'GET' };
  const answers = await stage.send([plain, { ...plain, url: plain.url.replace('8888', '9888') }]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [0, 200],
  );
}

/** A key that comes from a variable that is not there. */
async function assertEmptyKeys({ host, life }: Stage): Promise<void> {
  const file = join(cfsslFolder, 'empty-key.json');
  await host.writeFile(file, JSON.stringify({ ...signingConfig, auth_keys: { key1: { type: 'standard', key: 'env:THERE_IS_NONE' } } }));
  const flags = ['--dir', folder, '--db-config', join(cfsslFolder, 'db-none.json'), '--port=6888', '--ocsp-port=6889', '--config', file];
  await host.writeFile(join(cfsslFolder, 'db-none.json'), JSON.stringify({ driver: 'sqlite3', data_source: join(cfsslFolder, 'none.db') }));
  const { code, stderr } = await host.exec([...rfoCommand, 'ca', 'serve', ...flags], { signal: life.signal, timeout: 60_000 });
  assert.notEqual(code, 0);
  assert.match(stderr, /the key is empty/);
}

const nodeOf = (name: string, hosts: readonly string[]): object => ({
  CN: `system:node:${name}`,
  key: { algo: 'ecdsa', size: 256 },
  hosts,
  names: [{ O: 'system:nodes' }],
});

/** An unmodified `cfssl gencert` with a join token for a key: what the token is for is issued once, and nothing else is. */
export async function useToken(stage: Stage): Promise<void> {
  const create = ['ca', 'token', 'create', '--dir', folder, '--node', 'worker-1', '--ttl', '1h'];
  const key = (await stage.host.must([...rfoCommand, ...create])).trim();
  assert.match(key, /^[0-9a-f]{64}$/);
  const wish = { name: 'joined', key, profile: 'kubelet-client', request: nodeOf('worker-1', []) };
  const other = await tryGencert(stage, strict, { ...wish, name: 'other', request: nodeOf('worker-2', []) });
  assert.notEqual(other.code, 0, 'a token gave a certificate to another node');
  const pem = await gencert(stage, strict, wish);
  const told = await stage.host.must(['openssl', 'x509', '-noout', '-subject', '-nameopt', 'RFC2253'], { input: pem });
  assert.match(told, /CN=system:node:worker-1,O=system:nodes/);
  const serving = await gencert(stage, strict, {
    ...wish,
    name: 'serving',
    profile: 'kubelet-serving',
    request: nodeOf('worker-1', ['worker-1']),
  });
  assert.match(await stage.host.must(['openssl', 'x509', '-noout', '-ext', 'subjectAltName'], { input: serving }), /DNS:worker-1/);
  const again = await tryGencert(stage, strict, { ...wish, name: 'again' });
  assert.notEqual(again.code, 0, 'a token was good twice');
  assert.match(again.stderr, /invalid token/);
  const shared = await tryGencert(stage, strict, { ...wish, name: 'shared', key: sharedKey, profile: 'kubelet' });
  assert.notEqual(shared.code, 0, 'the shared key gave a certificate of a node');
}
