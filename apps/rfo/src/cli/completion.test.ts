import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { rfo } from './rfo.testing.ts';

const script = rfo(['completion', 'bash']);

/** What bash offers for the last of the words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await script;
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const ask = `${stdout}\nCOMP_WORDS=(rfo ${quoted}); COMP_CWORD=${words.length}; _rfo; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const answer = await promisify(execFile)('bash', ['-uc', ask]);
  return answer.stdout.split('\n').filter((line) => line !== '');
}

test('bash completes commands, of one word, of two and of three', async () => {
  assert.deepEqual(await offered('c'), ['check', 'certificate', 'config', 'ca', 'crictl', 'ctr', 'completion']);
  assert.deepEqual(await offered('ca', 're'), ['revoke']);
  assert.deepEqual(await offered('ca', 'token', ''), ['create', 'list', 'delete']);
  assert.deepEqual(await offered('ca', 'token', 'create', '--max'), ['--max-nodes']);
  assert.deepEqual(await offered('token', 'create', '--max'), ['--max-uses']);
  assert.deepEqual(await offered('config', ''), ['validate', 'explain']);
  assert.deepEqual(await offered('completion', 'f'), ['fish']);
});

test('bash completes flags, of commands of two words as well, and none that is hidden', async () => {
  assert.deepEqual(await offered('server', '--cluster-'), ['--cluster-cidr', '--cluster-dns', '--cluster-domain']);
  assert.deepEqual(await offered('config', 'validate', '--cluster-ci'), ['--cluster-cidr']);
  assert.deepEqual(await offered('token', 'rotate', '--new-token'), ['--new-token-file']);
  assert.deepEqual(await offered('check', '--fi'), ['--fix']);
});

test('bash completes the values of a flag, attached or apart', async () => {
  assert.deepEqual(await offered('server', '--cni', ''), ['flannel', 'none']);
  assert.deepEqual(await offered('server', '--cni', '=', 'fl'), ['flannel']);
  assert.deepEqual(await offered('server', '--cni', '='), ['flannel', 'none']);
  assert.deepEqual(await offered('server', '--debug', '=', 'f'), ['false']);
  assert.deepEqual(await offered('server', '-d', '/proc/self/mountin'), ['/proc/self/mountinfo']);
});

test('every shell gets a script, another word none', async () => {
  const [zsh, fish, none, other] = await Promise.all(
    ['zsh', 'fish', '', 'tcsh'].map((shell) => rfo(['completion', ...(shell === '' ? [] : [shell])])),
  );
  assert.match(
    fish?.stdout ?? '',
    /from token; and __fish_seen_subcommand_from create; and not __fish_seen_subcommand_from ca' .*-l max-uses/,
  );
  assert.match(zsh?.stdout ?? '', /bashcompinit/);
  assert.match(fish?.stdout ?? '', /^complete -c rfo -n '__fish_seen_subcommand_from server' -l cni -x -a 'flannel none' -d /m);
  assert.equal(none?.stderr, 'rfo: rfo completion needs a shell: bash, zsh or fish. See: rfo completion --help.\n');
  assert.equal(other?.stderr, 'rfo: rfo completion does not take "tcsh". See: rfo completion --help.\n');
});
