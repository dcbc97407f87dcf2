/** cfssl's own commands, unchanged, against each server. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { RunResult } from '../../lab/index.ts';
import { compareJson, describeCertificate, sameTimes } from './compare.ts';
import { clientConfig } from './config.ts';
import { cfsslFolder, type Face, folder, lenient, real, resultOf, type Stage, strict } from './faces.ts';
import type { Inputs } from './inputs.ts';
import { issueKnown } from './same-answers.ts';

/** Runs a command of cfssl on the host; a server with TLS is known by its CA. */
export function cfssl({ host, programs, life }: Stage, face: Face | undefined, args: readonly string[]): Promise<RunResult> {
  const [command = '', ...rest] = args;
  const tls = face?.ca === undefined ? [] : [`-tls-remote-ca=${face.ca}`];
  // 5: fatal errors only; what it logs stands on the standard error.
  return host.exec([programs.cfssl, command, ...tls, ...rest], { signal: life.signal });
}

async function cfsslMust(stage: Stage, face: Face | undefined, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cfssl(stage, face, args);
  assert.equal(code, 0, `cfssl ${args.join(' ')} at ${face?.name}: ${stderr}`);
  return stdout;
}

/** `cfssl info` says the same of each profile. */
export async function compareInfo(stage: Stage): Promise<void> {
  for (const profile of ['', 'www', 'everything', 'unknown']) {
    const [theirs, ours] = await eachFace((face) => cfsslMust(stage, face, ['info', '-remote', face.url, '-profile', profile]));
    assert.equal(ours, theirs, `profile "${profile}"`);
  }
  const overTls = await cfsslMust(stage, strict, ['info', '-remote', strict.url]);
  assert.match(overTls, /BEGIN CERTIFICATE/);
}

export type Wish = { readonly name: string; readonly key: string; readonly profile: string; readonly request: object };

/**
 * `cfssl gencert` with auth_remote into `cfssljson -bare`, in the way of the well-known instructions: two profiles, of which the last counts.
 * @returns the certificate that lies in the file then
 */
export async function gencert(stage: Stage, face: Face, { name, key, profile, request }: Wish): Promise<string> {
  const { code, stderr } = await tryGencert(stage, face, { name, key, profile, request });
  assert.equal(code, 0, `cfssl gencert at ${face.name}: ${stderr}`);
  const files = join(cfsslFolder, name);
  assert.match(await stage.host.must(['stat', '-c', '%a', `${files}-key.pem`]), /^600$/m);
  return await stage.host.readFile(`${files}.pem`);
}

export async function tryGencert({ host, programs, life }: Stage, face: Face, { name, key, profile, request }: Wish): Promise<RunResult> {
  const files = join(cfsslFolder, name);
  await host.writeFile(`${files}-client.json`, JSON.stringify(clientConfig(face.url, key)));
  await host.writeFile(`${files}-request.json`, JSON.stringify(request));
  const tls = face.ca === undefined ? '' : `-tls-remote-ca=${face.ca}`;
  const script = `set -o pipefail; ${programs.cfssl} gencert ${tls} -config /dev/stdin -profile=client -profile=${profile} ${files}-request.json < ${files}-client.json | ${programs.cfssljson} -bare ${files}`;
  return await host.exec(['bash', '-c', script], { signal: life.signal });
}

const nodeRequest = {
  CN: 'system:node:worker-1',
  key: { algo: 'rsa', size: 2048 },
  hosts: ['worker-1', '10.0.0.1'],
  names: [{ O: 'system:nodes' }],
};

export async function compareGencert(stage: Stage, key: string): Promise<void> {
  const [theirs, ours] = await eachFace(async (face) =>
    described(await gencert(stage, face, { name: `node-${face.name}`, key, profile: 'kubelet', request: nodeRequest })),
  );
  assertSame(ours, theirs);
}

export async function compareSign(stage: Stage, { csr }: Inputs): Promise<void> {
  const file = join(cfsslFolder, 'request.pem');
  await stage.host.writeFile(file, csr);
  for (const more of [[], ['-hostname', 'x.example,10.2.3.4'], ['-profile', 'everything'], ['-profile', 'unknown']]) {
    const [theirs, ours] = await eachFace(async (face) => {
      const output = await cfsslMust(stage, face, ['sign', '-remote', face.url, '-profile', 'www', ...more, file]);
      return described((JSON.parse(output) as { readonly cert: string }).cert);
    });
    assertSame(ours, theirs);
  }
  const refusals = await eachFace((face) => cfssl(stage, face, ['sign', '-remote', face.url, '-profile', 'kubelet', file]));
  for (const { code, stdout, stderr } of refusals) {
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /authentication required/);
  }
}

/** What cfssl's commands say of a certificate that RFO has issued, and what RFO's API says. */
export async function compareLooking(stage: Stage, inputs: Inputs): Promise<void> {
  const { pem } = await issueKnown(stage, lenient, inputs);
  const file = join(cfsslFolder, 'issued.pem');
  await stage.host.writeFile(file, pem);
  const told = await cfsslMust(stage, undefined, ['certinfo', '-cert', file]);
  assert.deepEqual(await resultOf(stage, lenient, 'certinfo', { certificate: pem }), JSON.parse(told));
  const shown = await cfsslMust(stage, undefined, ['certinfo', '-domain', '127.0.0.1:8888']);
  assert.deepEqual(await resultOf(stage, lenient, 'certinfo', { domain: '127.0.0.1:8888' }), JSON.parse(shown));
  for (const flavor of ['ubiquitous', 'optimal', 'force']) {
    const bundles = ['-ca-bundle', join(folder, 'ca.pem'), '-int-bundle', join(cfsslFolder, 'none.pem')];
    const theirs = await cfsslMust(stage, undefined, ['bundle', '-cert', file, '-flavor', flavor, ...bundles]);
    const ours = JSON.stringify(await resultOf(stage, lenient, 'bundle', { certificate: pem, flavor }));
    assertSame(String(await compareJson(ours)), String(await compareJson(theirs)));
  }
}

function eachFace<T>(act: (face: Face) => Promise<T>): Promise<[theirs: T, ours: T]> {
  return Promise.all([act(real), act(lenient)]);
}

async function described(pem: string): Promise<string> {
  return JSON.stringify(await describeCertificate(pem), undefined, 1).replaceAll('\\n', '\n');
}

function assertSame(ours: string, theirs: string): void {
  assert.equal(sameTimes(ours, theirs), theirs);
}
