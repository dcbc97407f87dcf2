import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { tar } from './tar.ts';

test('the archive is what tar reads, byte for byte of its contents', () => {
  const archive = Buffer.concat(
    tar([
      { type: 'directory', path: 'd', mode: 0o755 },
      { type: 'file', path: 'd/f', mode: 0o640, uid: 7, gid: 8, content: Buffer.from('hello') },
      { type: 'symlink', path: 'd/l', mode: 0o777, target: 'f' },
    ]),
  );
  const listed = spawnSync('tar', ['--numeric-owner', '--utc', '-tvf', '-'], { input: archive, encoding: 'utf8' });
  assert.equal(listed.stderr, '');
  assert.deepEqual(
    listed.stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/\s+/g, ' ')),
    ['drwxr-xr-x 0/0 0 1970-01-01 00:00 d/', '-rw-r----- 7/8 5 1970-01-01 00:00 d/f', 'lrwxrwxrwx 0/0 0 1970-01-01 00:00 d/l -> f'],
  );
  assert.equal(spawnSync('tar', ['-xOf', '-', 'd/f'], { input: archive, encoding: 'utf8' }).stdout, 'hello');
});

test('a path of more than 100 bytes is split where tar joins it again', () => {
  const path = `${'a'.repeat(90)}/${'b'.repeat(60)}`;
  const archive = Buffer.concat(tar([{ type: 'file', path, mode: 0o644, content: Buffer.from('x') }]));
  assert.equal(spawnSync('tar', ['-tf', '-'], { input: archive, encoding: 'utf8' }).stdout, `${path}\n`);
});

test('what a header cannot hold is refused', () => {
  const content = Buffer.from('x');
  assert.throws(() => tar([{ type: 'file', path: 'a'.repeat(101), mode: 0o644, content }]), /path too long/);
  assert.throws(() => tar([{ type: 'symlink', path: 'l', mode: 0o777, target: 'a'.repeat(101) }]), /too long for a tar header/);
  assert.throws(() => tar([{ type: 'file', path: 'f', mode: 0o644, uid: 0o10000000, content }]), /too large for a tar header/);
});
