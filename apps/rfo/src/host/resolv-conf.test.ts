import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseResolvConf, parseResolvConf } from './resolv-conf.ts';

const choose = (system: string | undefined, resolved?: string) => chooseResolvConf({ system, resolved, nodeIp: '192.0.2.11' });

describe('resolv.conf for pods', () => {
  test("is the host's when a pod can reach a server of it", () => {
    assert.deepEqual(choose('nameserver 192.0.2.53\n'), { use: 'system' });
    assert.deepEqual(choose('nameserver 127.0.0.1\nnameserver 192.0.2.53\n'), { use: 'system' });
    assert.deepEqual(choose('nameserver fd00::53\n'), { use: 'system' });
  });

  test("is systemd-resolved's where the host's is its stub", () => {
    assert.deepEqual(choose('nameserver 127.0.0.53\noptions edns0\n', 'nameserver 192.0.2.53\n'), { use: 'resolved' });
  });

  test('asks the node itself where nothing else can be reached', () => {
    const system =
      '# local\nnameserver 127.0.0.1\nnameserver ::1\nnameserver 169.254.1.1\nnameserver fe80::1%eth0\nsearch a.example b.example\noptions ndots:2 rotate ; no\n';
    assert.deepEqual(choose(system, 'nameserver 127.0.0.53\n'), {
      use: 'generated',
      text: '# Made by rfo: /etc/resolv.conf names no server that pods can reach.\nnameserver 192.0.2.11\nsearch a.example b.example\noptions ndots:2 rotate\n',
    });
    assert.equal(choose(undefined).use, 'generated');
  });

  test('is read as the resolver reads it', () => {
    assert.deepEqual(parseResolvConf('domain old.example\nsearch new.example\n nameserver\t192.0.2.1 # x\n#nameserver 192.0.2.2\n'), {
      nameservers: ['192.0.2.1'],
      search: ['new.example'],
      options: [],
    });
  });
});
