import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { notifySystemd } from './notify-systemd.ts';
import { scratch } from './test-support.ts';
import { waitForFile } from './wait-for-file.ts';

/** Node cannot receive datagrams on a Unix socket either, so another language stands in for systemd. */
const receiver = `
import socket, sys
inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); inbox.bind(sys.argv[1]); open(sys.argv[1] + '.bound', 'w').close()
while True: print(inbox.recv(4096).decode(), flush=True)`;
const cannot = existsSync('/usr/bin/systemd-notify') && existsSync('/usr/bin/python3') ? false : 'needs systemd-notify and python3';

test('systemd is told the states', { skip: cannot }, async (t) => {
  const { folder } = await scratch(t);
  const socket = `${folder}/notify`;
  const systemd = spawn('/usr/bin/python3', ['-c', receiver, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => systemd.kill('SIGKILL'));
  const received = once(systemd.stdout, 'data');
  await waitForFile(`${socket}.bound`, { signal: t.signal });
  assert.equal(await notifySystemd(['READY=1', 'STATUS=a node with one pod'], { NOTIFY_SOCKET: socket }), true);
  assert.match(String(await received), /^READY=1\nSTATUS=a node with one pod/);
});

test('without systemd nobody is told', async () => {
  assert.equal(await notifySystemd(['READY=1'], {}), false);
});
