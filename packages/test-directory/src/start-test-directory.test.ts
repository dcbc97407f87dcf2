import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startTestDirectory } from './start-test-directory.ts';

const suffix = 'dc=example,dc=org';
const ldif = `dn: ${suffix}\nobjectClass: domain\ndc: example\n`;

test('a directory serves until it is stopped, and comes back with the same ports after its death', async () => {
  const directory = await startTestDirectory({ suffix, ldif });
  try {
    await connects(directory.port);
    await directory.kill();
    await assert.rejects(connects(directory.port), { code: 'ECONNREFUSED' });
    await directory.start();
    await connects(directory.port);
  } finally {
    await directory.stop();
  }
  await assert.rejects(connects(directory.port), { code: 'ECONNREFUSED' });
});

test('data that slapd does not take are told by what it says', async () => {
  await assert.rejects(startTestDirectory({ suffix, ldif: `dn: ${suffix}\nobjectClass: nothing\n` }), /slapadd/);
});

function connects(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
