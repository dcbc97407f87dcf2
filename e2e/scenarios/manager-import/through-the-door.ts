/** What kubectl does through the manager, in a cluster that nobody can dial. */
import assert from 'node:assert/strict';
import type { Manager } from '../../harness/manager/manager.ts';
import { untilLine } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';

export async function checkDoor({ check, life }: ScenarioContext, manager: Manager): Promise<void> {
  const patience = { signal: life.signal, within: 60_000 };
  const by = { person: 'admin', cluster: 'edge' } as const;
  const kubectl = async (args: readonly string[], input?: string | Uint8Array): Promise<string> => {
    const { code, stdout, stderr } = await manager.kubectl('admin', 'edge', ['-n', 'shop', ...args], input);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const pod = (await kubectl(['get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[0].metadata.name}'])).trim();

  await check('one is in the cluster by the name that the manager gives', async () => {
    assert.equal(await kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}']), 'rfo:admin');
    assert.match(await kubectl(['get', 'nodes', '-o', 'name']), /^node\/edge$/m);
  });
  // Both ways that there are: WebSocket, and SPDY of older clients.
  for (const websockets of ['true', 'false']) {
    await check(`exec carries input, both outputs and the exit code, ${websockets === 'true' ? 'by WebSocket' : 'by SPDY'}`, async () => {
      const input = Buffer.alloc(5_000_000, 'x');
      const script = 'cat | wc -c; echo wrong >&2; exit 7';
      const result = await manager.kubectl('admin', 'edge', ['-n', 'shop', 'exec', '-i', pod, '--', 'sh', '-c', script], input, {
        KUBECTL_REMOTE_COMMAND_WEBSOCKETS: websockets,
      });
      assert.equal(result.code, 7, result.stderr);
      assert.equal(result.stdout.trim(), String(input.length));
      assert.match(result.stderr, /^wrong$/m);
    });
  }
  await check('cp brings a file there and back', async () => {
    await kubectl(['exec', '-i', pod, '--', 'sh', '-c', 'cat > /tmp/there'], 'carried');
    await kubectl(['cp', `${pod}:/tmp/there`, '/tmp/back']);
    await kubectl(['cp', '/tmp/back', `${pod}:/tmp/again`]);
    assert.equal(await kubectl(['exec', pod, '--', 'cat', '/tmp/again']), 'carried');
  });
  await check('logs -f shows a line the moment it is written', async () => {
    const logs = await manager.spawnKubectl('logs', by, ['-n', 'shop', 'logs', '-f', pod]);
    for (const word of ['first', 'second']) {
      await kubectl(['exec', pod, '--', 'sh', '-c', `echo ${word} > /proc/1/fd/1`]);
      await untilLine(logs, new RegExp(`^${word}$`), patience);
    }
    logs.signal('SIGKILL');
  });
  await check('a watch shows a change the moment it is made', async () => {
    const watch = await manager.spawnKubectl('watch-admin', by, ['-n', 'shop', 'get', 'configmaps', '--watch', '-o', 'name']);
    await untilLine(watch, /kube-root-ca\.crt/, patience);
    await kubectl(['create', 'configmap', 'seen']);
    await untilLine(watch, /configmap\/seen/, patience);
    watch.signal('SIGKILL');
  });
  await check('port-forward leads into the pod', async () => {
    const forward = await manager.spawnKubectl('port-forward', by, ['-n', 'shop', 'port-forward', `pod/${pod}`, '18080:8080']);
    await untilLine(forward, /^Forwarding from 127\.0\.0\.1:18080/, patience);
    assert.equal(await manager.onHub(['curl', '-sS', '-m10', 'http://127.0.0.1:18080/']), `${pod}\n`);
    forward.signal('SIGKILL');
    await forward.exited;
  });
}
