import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import { startBrowserLogin } from '../../harness/manager/browser-login.ts';
import { type Manager, managerOn } from '../../harness/manager/manager.ts';
import { clientSecret, type Outside, outsideCa, passwordAt, searcher, startOutside } from '../../harness/manager/outside.ts';
import { homeOf } from '../../harness/manager/people.ts';
import { bounded, type Node } from '../../harness/node.ts';
import { namespace } from '../../harness/objects.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { toolCommand } from '../../harness/tools.ts';
import type { Service } from '../../lab/index.ts';

export const scenario: Scenario = {
  name: 'oidc-ldap',
  about: 'people sign in by a real OpenID provider in a browser and by a real directory, and lose here what they lose there',
  short: false,
  timeout: 900_000,
  run: async (context) => {
    const { step, addNode, life } = context;
    const { signal } = life;
    const hub = await addNode('hub');
    const manager = managerOn(hub, context);
    await step('a cluster gets ready, and a manager beside it', async () => {
      await hub.start();
      await hub.untilReady();
      await manager.open();
      for (const name of ['shop', 'bank']) await hub.apply(namespace(name));
    });
    const outside = await step('an OpenID provider and a directory start', async () => {
      const started = await startOutside(hub, { manager: manager.address, signal });
      await started.setOpenidPeople({ ada: ['builders'], eve: ['strangers'] });
      await started.setDirectoryPeople({ bob: ['readers'], carl: ['strangers'] });
      return started;
    });
    await checkSettings(context, manager, outside);
    await step('groups of both are given roles in a project', async () => {
      const members = ['--member', 'group:corp:builders:member', '--member', 'group:ldap:readers:viewer'];
      await manager.as('admin', ['projects', 'create', 'shop', '--place', 'local/shop', ...members]);
    });
    await checkSignIn(context, { hub, manager });
    await checkLoss(context, manager, outside);
    await step('the audit tells who came by whom, and no secret of the providers', async () => {
      const text = await manager.as('admin', ['audit', '--limit', '10000', '-o', 'json']);
      const entries = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { verb: string; result: string; provider?: string });
      for (const [provider, result] of [
        ['corp', 'done'],
        ['ldap', 'done'],
        ['corp', 'refused'],
        ['ldap', 'refused'],
      ])
        assert.ok(
          entries.some((entry) => entry.verb === 'sign-in' && entry.provider === provider && entry.result === result),
          `no sign-in by ${provider} that was ${result}`,
        );
      const shown = await manager.as('admin', ['providers', 'list', '-o', 'json']);
      for (const secret of [clientSecret, searcher.password]) assert.ok(!text.includes(secret) && !shown.includes(secret));
    });
  },
};

async function checkSettings({ step }: ScenarioContext, manager: Manager, { issuer, directory }: Outside): Promise<void> {
  const openid = ['providers', 'create', 'corp', '--type', 'oidc', '--set', 'clientId=rfo', '--ca-file', outsideCa];
  const allowed = ['--allow-group', 'builders', '--refresh', '30s', '--secret-file', '-'];
  const ldap = ['providers', 'create', 'ldap', '--type', 'ldap', '--set', `servers=${directory}`, '--ca-file', outsideCa];
  const people = ['--set', 'userBase=ou=people,dc=example,dc=org', '--set', 'groupBase=ou=groups,dc=example,dc=org'];
  const bind = ['--set', `bindDn=${searcher.dn}`, '--allow-group', 'readers', '--refresh', '30s', '--secret-file', '-'];
  await step('settings that do not work are refused with the reason, and change nothing', async () => {
    const refused = async (args: readonly string[], secret: string, why: RegExp): Promise<void> => {
      const { code, stderr } = await manager.tryAs('admin', args, `${secret}\n`);
      assert.notEqual(code, 0);
      assert.match(stderr, why);
    };
    await refused([...openid, '--set', `issuer=${issuer}`, ...allowed], 'another secret', /does not accept the client ID with this secret/);
    await refused(
      [...openid, '--set', `issuer=${issuer}/elsewhere`, ...allowed],
      clientSecret,
      /elsewhere\/\.well-known\/openid-configuration answers with status 404/,
    );
    const unsigned = ['--set', `issuer=${issuer}`, '--set', 'algorithm=PS512'];
    await refused([...openid, ...unsigned, ...allowed], clientSecret, /does not sign ID tokens by PS512/);
    await refused([...ldap, ...people, ...bind], 'another password', /does not let the manager in as cn=searcher/);
    assert.deepEqual(JSON.parse(await manager.as('admin', ['providers', 'list', '-o', 'json'])), []);
  });
  await step('those that work are tried and enabled', async () => {
    await manager.as('admin', [...openid, '--set', `issuer=${issuer}`, ...allowed], `${clientSecret}\n`);
    await manager.as('admin', [...ldap, ...people, ...bind], `${searcher.password}\n`);
    for (const name of ['corp', 'ldap']) await manager.as('admin', ['providers', 'test', name]);
  });
}

type Place = { readonly hub: Node; readonly manager: Manager };

async function checkSignIn({ step, life }: ScenarioContext, { hub, manager }: Place): Promise<void> {
  const { signal } = life;
  await step('somebody signs in for the command line by a browser, and is in the groups that the provider names', async () => {
    const path = await signInByBrowser({ hub, manager }, 'ada', signal);
    assert.match(path, /END 200 .*You are signed in/);
    const self = JSON.parse(await manager.as('ada', ['whoami', '-o', 'json'])) as { provider: string; groups: string[] };
    assert.deepEqual([self.provider, self.groups], ['corp', ['corp:builders']]);
  });
  await step('somebody signs in by his password in the directory', async () => {
    await signInByDirectory({ hub, manager }, 'bob', passwordAt('bob'));
    const self = JSON.parse(await manager.as('bob', ['whoami', '-o', 'json'])) as { provider: string; groups: string[] };
    assert.deepEqual([self.provider, self.groups], ['ldap', ['ldap:readers']]);
  });
  await step('the groups give rights in the cluster, and no others', async () => {
    const may = async (person: string, words: readonly string[]): Promise<boolean> => {
      const { code, stderr } = await manager.kubectl(person, 'local', words);
      if (code !== 0) assert.match(stderr, /forbidden/i);
      return code === 0;
    };
    const answer = async (): Promise<true | undefined> => ((await may('ada', ['-n', 'shop', 'get', 'pods'])) ? true : undefined);
    await eventually('the cluster to know the role', answer, { signal });
    assert.ok(await may('ada', ['-n', 'shop', 'create', 'configmap', 'by-ada']));
    assert.ok(!(await may('ada', ['-n', 'bank', 'get', 'pods'])));
    assert.ok(await may('bob', ['-n', 'shop', 'get', 'configmaps']));
    assert.ok(!(await may('bob', ['-n', 'shop', 'create', 'configmap', 'by-bob'])));
  });
  await step('who is known there and not allowed here does not come in, nor with a wrong password', async () => {
    const path = await visitFor({ hub, manager }, 'eve', signal);
    assert.match(path.text, /END 403 .*not among those who may sign in/);
    path.login.signal('SIGTERM');
    await path.login.exited;
    for (const [person, password, why] of [
      ['carl', passwordAt('carl'), /not among those who may sign in/],
      ['bob', 'wrong', /credentials are not accepted/],
    ] as const) {
      await hub.host.must(['mkdir', '-p', homeOf('stranger')]);
      const args = ['login', manager.address, '-u', person, '--provider', 'ldap', '--password-file', '-', '--ca-pin', manager.pin()];
      const { code, stderr } = await manager.tryAs('stranger', args, `${password}\n`);
      assert.notEqual(code, 0);
      assert.match(stderr, why);
    }
  });
}

async function checkLoss(context: ScenarioContext, manager: Manager, outside: Outside): Promise<void> {
  const { step, note, life } = context;
  const { signal } = life;
  const watch = async (person: string, name: string): Promise<Service> => {
    const started = await manager.spawnKubectl(name, { person, cluster: 'local' }, ['-n', 'shop', 'get', 'configmaps', '--watch']);
    for await (const line of started.lines(signal)) if (line.includes('by-ada')) return started;
    throw new Error(`the watch of ${person} ended without what there is`);
  };
  const forbidden = (person: string) => async (): Promise<true | undefined> => {
    const { code, stderr } = await manager.kubectl(person, 'local', ['-n', 'shop', 'get', 'configmaps']);
    return code !== 0 && /forbidden/i.test(stderr) ? true : undefined;
  };
  await step('who leaves a group there loses what it gave, and an open watch ends', async () => {
    const open = await watch('bob', 'watch-of-bob');
    await outside.setDirectoryPeople({ bob: ['readers-no-more', 'readers-of-old'], dora: ['readers'], carl: ['strangers'] });
    await bounded(open.exited, { signal, what: 'the end of the watch of bob', within: 120_000 });
  });
  await step('who is in no allowed group any more is out', async () => {
    const { stderr, code } = await manager.tryAs('bob', ['whoami']);
    assert.notEqual(code, 0);
    assert.match(stderr, /no longer accepts this session/);
  });
  await step('who is in another allowed group goes on without the rights of the first', async () => {
    await manager.as('admin', ['providers', 'change', 'corp', '--allow-group', 'builders', '--allow-group', 'guests']);
    await outside.setOpenidPeople({ ada: ['guests'], eve: ['strangers'] });
    await eventually('ada to lose the rights of builders', forbidden('ada'), { signal });
    const self = JSON.parse(await manager.as('ada', ['whoami', '-o', 'json'])) as { groups: string[] };
    assert.deepEqual(self.groups, ['corp:guests']);
    await outside.setOpenidPeople({ ada: ['builders'], eve: ['strangers'] });
    const back = async (): Promise<true | undefined> =>
      (await manager.kubectl('ada', 'local', ['-n', 'shop', 'get', 'configmaps'])).code === 0 ? true : undefined;
    await eventually('ada to be a builder again', back, { signal });
  });
  await step('a provider that is disabled ends what was opened by it within a second', async () => {
    const open = await watch('ada', 'watch-of-ada');
    const ended = open.exited.then(() => performance.now());
    await manager.as('admin', ['providers', 'disable', 'corp']);
    const disabled = performance.now();
    const late = (await bounded(ended, { signal, what: 'the end of the watch of ada', within: 60_000 })) - disabled;
    note(`the watch ended ${Math.round(late)} ms after the command had`);
    assert.ok(late < 1000, `the watch ended after ${late} ms`);
    assert.notEqual((await manager.tryAs('ada', ['whoami'])).code, 0);
  });
  await step('enabled again it is asked again, and who was deleted there is out', async () => {
    await manager.as('admin', ['providers', 'enable', 'corp']);
    await manager.as('ada', ['whoami']);
    await outside.setOpenidPeople({ eve: ['strangers'] });
    const out = async (): Promise<true | undefined> => ((await manager.tryAs('ada', ['whoami'])).code === 0 ? undefined : true);
    await eventually('ada to be out', out, { signal });
  });
}

async function signInByDirectory({ hub, manager }: Place, person: string, password: string): Promise<void> {
  await hub.host.must(['mkdir', '-p', homeOf(person)]);
  const args = ['login', manager.address, '-u', person, '--provider', 'ldap', '--password-file', '-', '--ca-pin', manager.pin()];
  await manager.as(person, args, `${password}\n`);
}

async function signInByBrowser(place: Place, person: string, signal: AbortSignal): Promise<string> {
  const { text, login } = await visitFor(place, person, signal);
  assert.equal(await bounded(login.exited, { signal, what: 'the end of rfo manager login', within: 60_000 }), 0, text);
  return text;
}

/** `rfo manager login` waits, and somebody goes where it says. */
async function visitFor(
  { hub, manager }: Place,
  person: string,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly login: Service }> {
  const { login, address, ca } = await startBrowserLogin({ hub, manager }, { person, flags: ['--provider', 'corp'], signal });
  const { stdout, stderr, code } = await hub.host.exec([...toolCommand('browser'), address, `${ca},${outsideCa}`, person], {
    signal,
    timeout: 120_000,
  });
  assert.equal(code, 0, `${stdout}${stderr}`);
  return { text: stdout, login };
}
