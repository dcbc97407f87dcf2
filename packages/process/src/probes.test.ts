import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@rfo/foundation';
import { startProcess } from './start-process.ts';
import { scratch } from './test-support.ts';
import { waitForTcp, waitForUnixSocket } from './wait-for-connect.ts';
import { waitForFile } from './wait-for-file.ts';
import { checkHttps, waitForHttps } from './wait-for-https.ts';

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('a TCP probe notes why it waits and ends when the port opens', async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  const noted = Promise.withResolvers<string>();
  const ready = waitForTcp({ host: '127.0.0.1', port }, { signal: t.signal, note: noted.resolve });
  assert.match(await noted.promise, /ECONNREFUSED/);
  server.listen(port, '127.0.0.1');
  await ready;
});

test('a socket file that a dead process left is not ready; a listened one is', async (t) => {
  const { folder } = await scratch(t);
  const path = `${folder}/part.sock`;
  const script = `net.createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', script]), 'exit');
  const noted = Promise.withResolvers<string>();
  const ready = waitForUnixSocket(path, { signal: t.signal, note: noted.resolve });
  assert.match(await noted.promise, /ECONNREFUSED/);
  await rm(path);
  const server = createServer().listen(path);
  t.after(() => server.close());
  await ready;
});

test('every probe ends at once, with the reason, when the process it watches dies', async (t) => {
  const { folder, spec } = await scratch(t);
  const dying = await startProcess(spec('echo cannot bind; exit 7'), silentLog);
  const options = { signal: dying.gone };
  const probes = [
    waitForTcp({ host: '127.0.0.1', port: 1 }, options),
    waitForUnixSocket(`${folder}/none.sock`, options),
    waitForHttps({ url: 'https://127.0.0.1:1/', ca: '' }, options),
    waitForFile(`${folder}/none`, options),
  ];
  for (const result of await Promise.allSettled(probes)) {
    assert.equal(result.status, 'rejected');
    assert.match(String(result.reason), /part ended with exit code 7 \(cannot bind\)/);
  }
});

test('a file is ready when its text is accepted, however late its folder and itself come', async (t) => {
  const { folder } = await scratch(t);
  const path = `${folder}/new/subnet.env`;
  const found = waitForFile(path, { signal: t.signal, predicate: (text) => text.includes('SUBNET=') });
  const empty = waitForFile(path, { signal: t.signal });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'MTU=1450\n');
  assert.equal(await empty, 'MTU=1450\n');
  await writeFile(path, 'SUBNET=10.42.0.1/24\n');
  assert.equal(await found, 'SUBNET=10.42.0.1/24\n');
  assert.equal(await waitForFile(path, { signal: t.signal }), 'SUBNET=10.42.0.1/24\n');
});

test('an HTTPS probe keeps one connection, shows its certificate and waits for the wanted answer', async (t) => {
  const { folder } = await scratch(t);
  const [key, cert] = await selfSigned(folder);
  let requests = 0;
  let connections = 0;
  const server = createHttpsServer({ key, cert, ca: cert, requestCert: true, rejectUnauthorized: true }, (_, response) => {
    requests++;
    response.statusCode = requests < 4 ? 500 : 200;
    response.end(requests < 4 ? 'etcd failed' : 'ok');
  });
  server.on('secureConnection', () => connections++);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const target = { url: `https://127.0.0.1:${portOf(server)}/readyz`, ca: cert, cert, key };
  const problems: string[] = [];
  await waitForHttps(target, { signal: t.signal, note: (problem) => problems.push(problem) });
  assert.deepEqual(problems, Array(3).fill(`${target.url} answers 500: etcd failed`));
  assert.deepEqual([requests, connections], [4, 1]);
  await checkHttps(target, t.signal);
  requests = 0;
  await assert.rejects(checkHttps(target, t.signal), /answers 500: etcd failed/);
  assert.equal(connections, 2);
  await assert.rejects(checkHttps({ url: target.url, ca: cert }, t.signal), 'without a certificate');
});

async function selfSigned(folder: string): Promise<readonly [string, string]> {
  const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`];
  const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=probe'];
  execFileSync('openssl', ['req', '-x509', ...options, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  return [await readFile(key, 'utf8'), await readFile(cert, 'utf8')];
}
