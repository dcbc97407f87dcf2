import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { TestNode } from '../certificates/node.testing.ts';
import { ensureNodePassword } from './node-password.ts';

describe('the password of a node', () => {
  it('is made once, for root alone to read, by however many ask at once', async () => {
    using node = new TestNode();
    const { nodePassword: file } = node.paths;
    const passwords = await Promise.all([ensureNodePassword(node.paths), ensureNodePassword(node.paths)]);
    assert.match(passwords[0], /^[0-9a-f]{32}$/);
    assert.deepEqual(
      [...passwords, await ensureNodePassword(node.paths)],
      Array.from({ length: 3 }, () => passwords[0]),
    );
    assert.equal(readFileSync(file, 'utf8').trim(), passwords[0]);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(dirname(file)), ['password']);
  });

  it('is closed to others where it was open', async () => {
    using node = new TestNode();
    await ensureNodePassword(node.paths);
    chmodSync(node.paths.nodePassword, 0o644);
    await ensureNodePassword(node.paths);
    assert.equal(statSync(node.paths.nodePassword).mode & 0o777, 0o600);
  });

  it('is not replaced where the file holds something else', async () => {
    using node = new TestNode();
    mkdirSync(dirname(node.paths.nodePassword), { recursive: true });
    for (const content of ['', 'short', `${'a'.repeat(32)}\nrfo-node-name: other`]) {
      writeFileSync(node.paths.nodePassword, content);
      await assert.rejects(ensureNodePassword(node.paths), { code: 'node-password-invalid', message: /rfo node readopt/ });
      assert.equal(readFileSync(node.paths.nodePassword, 'utf8'), content);
    }
  });
});
