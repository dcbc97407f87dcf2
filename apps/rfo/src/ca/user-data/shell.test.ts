/** The scripts of user data, run by real shells: that of Debian, BusyBox's and bash, with nothing but openssl. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { agentPlan } from './agent-plan.ts';
import { kubeletPlan } from './kubelet-plan.ts';
import { renderScript } from './script.ts';
import { certificateShell } from './shell-certificates.ts';
import { agentJoin, kubeletJoin } from './user-data.testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'rfo-shell-'));
after(() => rmSync(folder, { recursive: true }));
const shells = [['dash'], ['busybox', 'sh'], ['bash', '--posix']] as const;

/** Runs a script with the functions of the kubelet's scripts; what it reads comes by the standard input, as in user data. */
function sh([shell = '', ...options]: readonly string[], script: string, variables = ''): string {
  const functions = certificateShell.replaceAll('/var/lib/kubelet', folder);
  const text = `set -eu\nwork='${folder}'\n${variables}\n${functions}\n${script}`;
  return execFileSync(shell, [...options, '-s'], { input: text, encoding: 'utf8', env: { PATH: process.env.PATH } });
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}

test('every shell makes the HMAC that Node makes, whatever bytes the key has', () => {
  const request = join(folder, 'request');
  const keys = [Buffer.alloc(32, 0), Buffer.alloc(32, 0xff), Buffer.from([...Array(32).keys()]), Buffer.alloc(16, 7), randomBytes(32)];
  for (const key of keys) {
    const content = randomBytes(900);
    writeFileSync(request, content);
    const expected = createHmac('sha256', key).update(content).digest('base64');
    for (const shell of shells) assert.equal(sh(shell, `hmac_of '${request}'`, `token=${key.toString('hex')}`), expected, shell.join(' '));
  }
});

test('requests carry the name and address of the node where they may', () => {
  for (const shell of shells) {
    const made =
      'node=worker-1 address=192.0.2.7\nnew_key "$work/k"; request_for client "$work/k" "$work/c"; request_for serving "$work/k" "$work/s"';
    sh(shell, made);
    const text = (name: string): string =>
      execFileSync('openssl', ['req', '-in', name, '-noout', '-text'], { cwd: folder, encoding: 'utf8' });
    for (const name of ['c', 's']) assert.match(text(name), /Subject: O ?= ?system:nodes, CN ?= ?system:node:worker-1/);
    assert.doesNotMatch(text('c'), /Alternative Name/);
    assert.match(text('s'), /DNS:worker-1, IP Address:192\.0\.2\.7/);
    assert.match(text('s'), /prime256v1/);
  }
});

test('certificates are found in answers, and how long they last', () => {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '3',
    '-subj',
    '/CN=ca',
  );
  const pem = execFileSync('cat', [join(folder, 'ca.crt')], { encoding: 'utf8' });
  const answers = [
    `${JSON.stringify({ success: true, result: { certificate: pem, usages: null, expiry: '' }, errors: [], messages: [] })}\n`,
    JSON.stringify({ result: { certificate: pem.trimEnd() } }, undefined, 1),
  ];
  for (const shell of shells) {
    for (const answer of answers) {
      writeFileSync(join(folder, 'answer'), answer);
      assert.equal(sh(shell, 'certificate_in "$work/answer"').trim(), pem.trim());
    }
    const left = Number(sh(shell, 'seconds_left "$work/ca.crt"'));
    assert.ok(left > 2.95 * 86_400 && left <= 3 * 86_400, String(left));
    const pin = createHash('sha256')
      .update(execFileSync('openssl', ['pkey', '-in', 'ca.key', '-pubout', '-outform', 'DER'], { cwd: folder }))
      .digest('hex');
    assert.equal(sh(shell, 'key_of x509 "$work/ca.crt"').trim(), pin);
  }
});

test('an answer without a certificate is none', () => {
  writeFileSync(join(folder, 'answer'), '{"success":false,"result":null,"errors":[{"code":5500,"message":"no"}],"messages":[]}\n');
  for (const shell of shells) {
    assert.equal(sh(shell, 'certificate_in "$work/answer" || echo none'), 'none\n');
    assert.equal(sh(shell, 'error_in "$work/answer"'), '5500 no\n');
  }
});

test('all scripts are good POSIX shell', () => {
  for (const plan of [agentPlan(agentJoin), kubeletPlan(kubeletJoin)]) {
    const scripts = [
      ...plan.files.filter(({ path }) => path.endsWith('.sh') || path.endsWith('settings')).map(({ content }) => content),
      renderScript(plan),
    ];
    assert.ok(scripts.length >= 3);
    for (const script of scripts) {
      for (const [shell, ...options] of shells) {
        const { status, stderr } = spawnSync(shell, [...options, '-n'], { input: script, encoding: 'utf8' });
        assert.equal(`${status}${stderr}`, '0', shell);
      }
    }
  }
});
