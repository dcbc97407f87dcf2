import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childEnvironment } from './environment.ts';

test('children get paths, proxies and Go settings, but neither secrets nor what changes with each start', () => {
  const passed = { PATH: '/bin', HOME: '/root', https_proxy: 'http://p', CONTAINERD_NO_PROXY: '10.0.0.0/8', GOMEMLIMIT: '1GiB' };
  const kept = {
    NOTIFY_SOCKET: '/run/n',
    INVOCATION_ID: '1',
    RFO_TOKEN: 'secret',
    SSH_TTY: '/dev/pts/1',
    MY_PROXYING: 'x',
    EMPTY: undefined,
  };
  assert.deepEqual(childEnvironment({ ...passed, ...kept }), passed);
});
