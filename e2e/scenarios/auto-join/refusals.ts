/** Hosts that may not join: each is refused, the log says why, and nothing is issued. */
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { FullHost } from '../../lab/index.ts';
import { caPorts, seedFolder, succeeds } from './authority.ts';
import { bootSeeded, joinLog, seedWord } from './seeded-host.ts';

/** The key of a token in the user data of a host, as somebody sees it who may read that folder. */
export async function tokenOf(control: Node, id: string): Promise<string> {
  const document = await control.host.readFile(`${seedFolder}/hosts/${id}/user-data`);
  const [token] = /^ +[0-9a-f]{64}$/m.exec(document) ?? [];
  assert.ok(token, `there is no token in the user data of ${id}`);
  return token.trim();
}

/** @param used a token that a node has joined with */
export async function refuseThieves(
  context: ScenarioContext,
  control: Node,
  used: { readonly node: string; readonly token: string },
): Promise<void> {
  const { step, check, life } = context;
  const { signal } = life;
  const tokens = {
    other: (await succeeds(control, ['ca', 'token', 'create', '--node', 'worker-9'])).trim(),
    expired: (await succeeds(control, ['ca', 'token', 'create', '--node', 'thief', '--ttl', '1s'])).trim(),
    good: (await succeeds(control, ['ca', 'token', 'create', '--node', 'thief'])).trim(),
  };
  const issued = async (): Promise<readonly string[]> => {
    const list = JSON.parse(await succeeds(control, ['ca', 'list', '--all', '-o', 'json'])) as readonly object[];
    return list.map((one) => JSON.stringify(one));
  };
  const before = await issued();

  const thief = await step('a host with the token of another is refused at its first boot', async () => {
    const where = ['--api-server', `https://${control.host.ip}:6443`, '--ca-url', `https://${control.host.ip}:${caPorts.api}`];
    const seed = [
      '--seed',
      seedFolder,
      '--seed-url',
      `http://${control.host.ip}:${caPorts.seed}`,
      '--program',
      await kubeletProgram(control),
    ];
    await control.host.writeFile('/root/token', tokens.other, '0600');
    await succeeds(control, ['ca', 'join-config', '--for', 'kubelet', '--node', 'thief', ...where, ...seed, '--token-file', '/root/token']);
    const host = await bootSeeded(context, 'thief', [seedWord(control, 'thief')]);
    await untilRefused(host, signal);
    await audited(control, /the name thief is not that of the node worker-9/, signal);
    return host;
  });
  const attempts = [
    { what: 'a used token', token: used.token, node: used.node, why: /used up/ },
    { what: 'an expired token', token: tokens.expired, node: 'thief', why: /expired at/ },
    { what: 'a guessed token', token: 'f'.repeat(64), node: 'thief', why: /invalid token/ },
  ];
  for (const { what, token, node, why } of attempts) {
    await check(`${what} is refused`, async () => {
      await tryAgain(thief, { token, settings: `NODE_NAME='${node}'` });
      await untilRefused(thief, signal);
      await audited(control, why, signal);
    });
  }
  await check('nothing is sent to another CA than the pinned one', async () => {
    const lines = await auditLines(control);
    await tryAgain(thief, { token: tokens.good, settings: `NODE_NAME='thief'\nCA_PIN='${'a'.repeat(64)}'` });
    await eventually('the host to notice', async () => (/is another CA.*nothing was sent/.test(await joinLog(thief)) ? true : undefined), {
      signal,
    });
    await thief.systemctl('stop', 'rfo-join');
    assert.equal(await auditLines(control), lines);
  });
  await check('the user data of another host is not handed out', async () => {
    const url = `http://${control.host.ip}:${caPorts.seed}/worker-1/user-data`;
    assert.equal(await thief.must(['curl', '-sS', url]), 'refused: held-by-another\n');
  });
  await step('no certificate was issued to any of them', async () => assert.deepEqual(await issued(), before));
}

/** The archive that the other kubelet came with. */
async function kubeletProgram(control: Node): Promise<string> {
  const settings = await control.host.readFile(`${seedFolder}/hosts/worker-2/user-data`);
  const [, architecture, url] = /PROGRAM_(\w+)='(http[^']+)'/.exec(settings) ?? [];
  const [, sum] = /PROGRAM_SUM_\w+='([0-9a-f]{64})'/.exec(settings) ?? [];
  return `${architecture}=${url}#sha256:${sum}`;
}

/** Changes what the user data has brought, and lets the host try once more. */
async function tryAgain(host: FullHost, wish: { readonly token: string; readonly settings: string }): Promise<void> {
  await host.writeFile('/etc/rfo-join/token', `${wish.token}\n`, '0600');
  const settings = (await host.readFile('/etc/rfo-join/settings')).trimEnd();
  // Of two lines for one variable the shell takes the last.
  await host.writeFile('/etc/rfo-join/settings', `${settings}\n${wish.settings}\n`, '0644');
  await host.must([
    'sh',
    '-c',
    'rm -rf /var/lib/rfo-join/*.key /var/lib/kubelet/pki; systemctl reset-failed rfo-join; systemctl restart rfo-join',
  ]);
}

/** The unit has ended with the code that says: do not try again. */
async function untilRefused(host: FullHost, signal: AbortSignal): Promise<void> {
  const ended = async (): Promise<true | undefined> => {
    const shown = await host.must(['systemctl', 'show', 'rfo-join', '-p', 'ActiveState', '-p', 'ExecMainStatus']);
    return /ActiveState=failed/.test(shown) && /ExecMainStatus=3$/m.test(shown) ? true : undefined;
  };
  await eventually(`the refusal of ${host.name}`, ended, { signal }).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await joinLog(host)}`);
  });
}

async function auditLines(control: Node): Promise<string> {
  return await control.host.must(['sh', '-c', 'grep -c . /var/lib/rancher/rfo/ca/audit.log']);
}

/** The last refusal in the audit log has this reason. */
async function audited({ host }: Node, why: RegExp, signal: AbortSignal): Promise<void> {
  await eventually(
    `the audit of ${why}`,
    async () => {
      const lines = (await host.readFile('/var/lib/rancher/rfo/ca/audit.log')).trim().split('\n');
      const refused = lines
        .map((line) => JSON.parse(line) as { readonly result: string; readonly reason?: string })
        .filter(({ result }) => result === 'refused');
      return why.test(refused.at(-1)?.reason ?? '') ? true : undefined;
    },
    { signal, within: 20_000 },
  );
}
