import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { certificateInfo, isSelfSigned } from '@rfo/pki';
import { caPlace, openssl } from '../../ca/keys/keys.testing.ts';
import { serveCa } from '../../ca/serve.testing.ts';
import { type Outcome, rfo } from '../../cli/rfo.testing.ts';

const request = { CN: 'web.example', hosts: ['web.example'], key: { algo: 'ecdsa', size: 256 } };

function place() {
  const made = caPlace();
  const write = (name: string, content: unknown): string => {
    const file = join(made.place, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  const ca = (...argv: readonly string[]): Promise<Outcome> => rfo(['ca', ...argv, '--dir', made.dir]);
  const must = async (...argv: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await ca(...argv);
    assert.equal(status, 0, stderr);
    return stdout;
  };
  return { ...made, write, ca, must, [Symbol.asyncDispose]: () => made.life.end() };
}

type Made = { readonly cert: string; readonly csr: string; readonly key: string };

test('init makes a CA, info tells its pin, and a second init is refused', async () => {
  await using made = place();
  const said = await made.must('init', '--host', '192.0.2.10', '--name', 'Test CA');
  const info = JSON.parse(await made.must('info', '-o', 'json')) as { authority: { pin: string; subject: string }; certificates: object };
  assert.match(said, new RegExp(info.authority.pin));
  assert.equal(info.authority.subject, 'CN=Test CA');
  // Of OCSP answers and of the port.
  assert.deepEqual(info.certificates, { good: 2, revoked: 0, expired: 0 });
  const spki = await openssl('x509', '-in', join(made.dir, 'ca.pem'), '-noout', '-pubkey');
  writeFileSync(join(made.place, 'key.pem'), spki);
  const der = await openssl('dgst', '-sha256', '-r', await toDer(made.place));
  assert.equal(info.authority.pin, `sha256:${der.split(' ')[0]}`);
  assert.deepEqual([(await made.ca('init')).status, (await made.ca('info')).status], [2, 0]);
});

async function toDer(folder: string): Promise<string> {
  const out = join(folder, 'key.der');
  await openssl('pkey', '-pubin', '-in', join(folder, 'key.pem'), '-outform', 'DER', '-out', out);
  return out;
}

test('gencert and sign print what cfssljson takes, with flags of one dash, and the database has it', async () => {
  await using made = place();
  await made.must('init', '--host', '192.0.2.10');
  const file = made.write('request.json', request);
  const { cert, csr, key } = JSON.parse(await made.must('gencert', '-profile=www', file)) as Made;
  assert.match(key, /BEGIN EC PRIVATE KEY/);
  const again = JSON.parse(await made.must('sign', '-profile', 'client', '-hostname', 'other.example', made.write('web.csr', csr))) as Made;
  assert.deepEqual(Object.keys(again), ['cert', 'csr']);
  assert.deepEqual(certificateInfo(again.cert).usages, ['clientAuth']);
  assert.match(await openssl('verify', '-CAfile', join(made.dir, 'ca.pem'), made.write('web.pem', cert)), /: OK/);
  const listed = JSON.parse(await made.must('list', '-o', 'json')) as { pem: string; names: string[] }[];
  assert.deepEqual(
    listed.slice(0, 2).map(({ names }) => names),
    [['other.example'], ['web.example']],
  );
  assert.ok(listed.some(({ pem }) => pem === cert));
  assert.match(await made.must('audit'), /: 3 lines, number 1 to 3,/);
});

test('gencert -initca makes a CA of its own, and what is refused is told in a sentence', async () => {
  await using made = place();
  const wish = made.write('ca.json', { CN: 'mine', ca: { expiry: '1h' } });
  const { cert } = JSON.parse(await made.must('gencert', '-initca', wish)) as Made;
  const ca = certificateInfo(cert);
  assert.ok(ca.ca && isSelfSigned(ca));
  await made.must('init', '--host', '192.0.2.10');
  const weak = await made.ca('gencert', made.write('weak.json', { CN: 'x', key: { algo: 'rsa', size: 1024 } }));
  assert.deepEqual([weak.status, weak.stdout], [1, '']);
  assert.match(weak.stderr, /it is not signed: RSA key is too weak \(code 2400\)/);
  const admin = await made.ca('gencert', made.write('admin.json', { CN: 'admin', names: [{ O: 'system:masters' }] }));
  assert.match(admin.stderr, /\(code 5500\)/);
  assert.equal((await made.ca('gencert', '-cfssl-compat=any-subject', join(made.place, 'admin.json'))).status, 0);
});

test('tokens are made for a node or a pattern, listed without their keys, and deleted all or none', async () => {
  await using made = place();
  await made.must('init', '--host', '192.0.2.10');
  const key = (await made.must('token', 'create', '--node', 'worker-1', '--ttl', '1h')).trim();
  assert.match(key, /^[0-9a-f]{64}$/);
  await made.must('token', 'create', '--pattern', 'rack-*', '--max-nodes', '3');
  const text = await made.must('token', 'list', '-o', 'json');
  const tokens = JSON.parse(text) as { id: string; node: string; profiles: string[]; maxNodes: number }[];
  assert.deepEqual(tokens.map(({ node, maxNodes }) => [node, maxNodes]).sort(), [
    ['rack-*', 3],
    ['worker-1', 1],
  ]);
  assert.ok(!text.includes(key));
  const [wrong, both, none] = await Promise.all([
    made.ca('token', 'create', '--node', 'a', '--profile', 'kubelt'),
    made.ca('token', 'create', '--node', 'a', '--pattern', 'b*'),
    made.ca('token', 'delete', tokens[0]?.id ?? '', 'abcdefabcdef'),
  ]);
  assert.match(wrong.stderr, /there is no profile kubelt\. Did you mean kubelet\?/);
  assert.deepEqual([both.status, none.status], [2, 2]);
  assert.equal((JSON.parse(await made.must('token', 'list', '-o', 'json')) as object[]).length, 2);
  await made.must('token', 'delete', ...tokens.map(({ id }) => id));
  assert.equal(await made.must('token', 'list', '-o', 'json'), '[]\n');
});

test('a certificate is revoked by any spelling of its serial number; responder, list and crl say so', async () => {
  await using served = await serveCa();
  const file = join(served.place, 'request.json');
  writeFileSync(file, JSON.stringify(request));
  const ca = (...argv: readonly string[]): Promise<Outcome> => rfo(['ca', ...argv, '--dir', served.dir]);
  const { cert } = JSON.parse((await ca('gencert', '-profile', 'www', file)).stdout) as Made;
  const pem = join(served.place, 'web.pem');
  writeFileSync(pem, cert);
  const ask = (): Promise<Outcome> => ca('ocsp', '--url', `http://127.0.0.1:${served.running.ports.status}`, '-o', 'json', pem);
  assert.equal((await ask()).status, 0);
  const { serial } = certificateInfo(cert);
  const spelled = serial.padStart(40, '0').match(/../g)?.join(':') ?? '';
  const revoked = await ca('revoke', '--serial', spelled, '--reason', 'Superseded');
  assert.equal(revoked.stdout, `certificate ${BigInt(`0x${serial}`)} revoked\n`);
  const after = await ask();
  assert.deepEqual([after.status, (JSON.parse(after.stdout) as { status: string; reason: number }).reason], [1, 4]);
  const [listed] = JSON.parse((await ca('list', '--status', 'revoked', '-o', 'json')).stdout) as { reason: string }[];
  assert.equal(listed?.reason, 'superseded');
  const crl = join(served.place, 'crl.pem');
  assert.equal((await ca('crl', '--pem', '--out', crl)).status, 0);
  assert.match(await openssl('crl', '-in', crl, '-noout', '-text'), new RegExp(serial, 'i'));
  assert.equal((await ca('revoke', '--serial', '1')).status, 1);
  assert.equal((await ca('revoke')).status, 2);
});

test('commands where no CA is say what to do', async () => {
  await using made = place();
  const { status, stderr } = await made.ca('list');
  assert.equal(status, 2);
  assert.match(stderr, /there is no certificate authority in .*\. Make one with rfo ca init/);
});
