/** The servers of the scenario, side by side on one host: cfssl, RFO as lenient as cfssl, and RFO as it is by default. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Life } from '@rfo/foundation';
import { bounded, rfoCommand, untilLine } from '../../harness/node.ts';
import type { Host, Service } from '../../lab/index.ts';
import { type CfsslPrograms, renderServeArguments } from '../../oracle/cfssl.ts';
import type { PlainAnswer, PlainRequest } from '../../tools/http-requests.ts';
import type { Sender } from './sender.ts';

/** Where `rfo ca init` puts a CA, and where its twin for the lenient server lies. */
export const folder = '/var/lib/rancher/rfo/ca';
export const lenientFolder = '/var/lib/rancher/rfo/ca-lenient';
/** Files of the real cfssl, and what the test writes. */
export const cfsslFolder = '/var/lib/rancher/cfssl';
const configFile = join(cfsslFolder, 'config.json');

export type Face = {
  readonly name: 'cfssl' | 'rfo' | 'strict';
  readonly url: string;
  /** CAs that its TLS certificate is known by; undefined without TLS. */
  readonly ca?: string;
  readonly database: string;
  /** Names the database for cfssl's commands. */
  readonly databaseConfig: string;
  readonly ocspUrl: string;
};

export const real: Face = {
  name: 'cfssl',
  url: 'http://127.0.0.1:7888',
  database: join(cfsslFolder, 'certdb.db'),
  databaseConfig: join(cfsslFolder, 'db.json'),
  ocspUrl: 'http://127.0.0.1:7889',
};
export const lenient: Face = {
  name: 'rfo',
  url: 'http://127.0.0.1:9888',
  database: join(lenientFolder, 'certdb.db'),
  databaseConfig: join(cfsslFolder, 'db-lenient.json'),
  ocspUrl: 'http://127.0.0.1:9889',
};
export const strict: Face = {
  name: 'strict',
  url: 'https://127.0.0.1:8888',
  ca: join(folder, 'ca.pem'),
  database: join(folder, 'certdb.db'),
  databaseConfig: join(cfsslFolder, 'db-strict.json'),
  ocspUrl: 'http://127.0.0.1:8889',
};

export type Stage = { readonly host: Host; readonly programs: CfsslPrograms; readonly life: Life; readonly send: Sender };

/** `rfo ca init`, once; cfssl and the lenient twin get the same key. */
export async function makeAuthority({ host, life }: Stage, signingConfig: object): Promise<void> {
  await host.must([...rfoCommand, 'ca', 'init', '--dir', folder, '--host', '127.0.0.1', '--name', 'scenario CA'], { signal: life.signal });
  await host.must(['cp', '-a', folder, lenientFolder]);
  await host.must(['mkdir', '-p', cfsslFolder]);
  await host.writeFile(configFile, JSON.stringify(signingConfig));
  await host.writeFile(join(cfsslFolder, 'none.pem'), '');
  for (const { database, databaseConfig } of [real, lenient, strict])
    await host.writeFile(databaseConfig, JSON.stringify({ driver: 'sqlite3', data_source: database }));
  const program = `import { createCertdb } from ${JSON.stringify(join(import.meta.dirname, '../../oracle/certdb.ts'))}; createCertdb(process.argv[1]);`;
  const [node = ''] = rfoCommand;
  await host.must([node, '--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', program, real.database]);
}

export async function startReal({ host, programs, life }: Stage): Promise<Service> {
  const args = renderServeArguments({
    address: '127.0.0.1',
    port: 7888,
    ca: join(folder, 'ca.pem'),
    caKey: join(folder, 'ca-key.pem'),
    config: configFile,
    databaseConfig: real.databaseConfig,
    responder: { certificate: join(folder, 'ocsp.pem'), key: join(folder, 'ocsp-key.pem') },
    caBundle: join(folder, 'ca.pem'),
    intBundle: join(cfsslFolder, 'none.pem'),
  });
  const service = await host.spawn('cfssl', [programs.cfssl, ...args]);
  await untilLine(service, /Now listening on/, { signal: life.signal, within: 30_000 });
  return service;
}

export function startLenient(stage: Stage, more: readonly string[] = []): Promise<Service> {
  const files = ['--config', configFile, '--ca-bundle', join(folder, 'ca.pem'), '--int-bundle', join(cfsslFolder, 'none.pem')];
  return startRfo(stage, 'lenient', ['--dir', lenientFolder, '--port=9888', '--ocsp-port=9889', '--cfssl-compat=all', ...files, ...more]);
}

/** With the flags as cfssl's users write them. */
export function startStrict(stage: Stage, more: readonly string[] = []): Promise<Service> {
  return startRfo(stage, 'strict', ['-address=127.0.0.1', '-port', '8888', ...more]);
}

async function startRfo({ host, life }: Stage, name: string, flags: readonly string[]): Promise<Service> {
  const service = await host.spawn(name, [...rfoCommand, 'ca', 'serve', ...flags]);
  await untilLine(service, / ca: ready/, { signal: life.signal, within: 60_000 });
  return service;
}

export async function stop(service: Service, { life }: Stage): Promise<void> {
  service.signal('SIGTERM');
  await bounded(service.exited, { signal: life.signal, what: 'the end of a server', within: 30_000 });
}

/** What stands in `result` of a good answer. */
export async function resultOf(stage: Stage, face: Face, path: string, body: object): Promise<unknown> {
  const answer = await ask(stage, face, path, body);
  assert.equal(answer.status, 200, `${face.name} ${path}: ${answer.body}`);
  return (JSON.parse(answer.body) as { readonly result: unknown }).result;
}

/** One POST to the API of a face. */
export async function ask(stage: Stage, face: Face, path: string, body: object): Promise<PlainAnswer> {
  const [answer] = await askAll(stage, [{ face, path, body }]);
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

/** Several POSTs, one after the other. */
export function askAll(
  stage: Stage,
  questions: readonly { readonly face: Face; readonly path: string; readonly body: object }[],
): Promise<readonly PlainAnswer[]> {
  return stage.send(questions.map(({ face, path, body }) => requestOf(face, { path, method: 'POST', body: JSON.stringify(body) })));
}

export function requestOf(
  { url, ca }: Face,
  { path, method, body }: { readonly path: string; readonly method: string; readonly body?: string },
): PlainRequest {
  const target = path.startsWith('/') ? path : `/api/v1/cfssl/${path}`;
  return { url: `${url}${target}`, method, ...(body !== undefined && { body }), ...(ca !== undefined && { ca }) };
}
