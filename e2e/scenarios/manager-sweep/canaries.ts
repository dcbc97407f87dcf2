/** Secrets of every kind are brought in, and then looked for in all that anybody could read. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../harness/manager/requests.ts';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Ask } from '../../tools/manager-requests.ts';
import { type Castle, secretOf } from './castle.ts';
import { operations } from './routes.ts';

const door = '/k8s/clusters/local';
let counted = 0;
/** Looks like nothing that occurs by itself, in any encoding that keeps letters. */
const canary = (): string => `Kanarienvogel${Math.random().toString(36).slice(2)}x${counted++}`;

export async function checkCanaries({ check, note }: ScenarioContext, castle: Castle, hub: Node): Promise<void> {
  const { requests, secrets, admin, member, auditor, document } = castle;
  await check('no secret stands in an answer, a log, the audit or an object', async () => {
    const keep = (what: string): string => {
      const made = canary();
      secrets.set(what, made);
      return made;
    };
    const json = (value: unknown): string => JSON.stringify(value);
    const secret = (name: string, value: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'shop' },
      stringData: { key: value },
    });
    const inShop = `${door}/api/v1/namespaces/shop`;
    const { answers } = await requests.exchange({
      asks: [
        { method: 'POST', path: '/api/v1/session', body: json({ username: keep('a password typed as a name'), password: 'x' }) },
        { method: 'POST', path: '/api/v1/session', body: json({ username: 'admin', password: keep('a wrong password') }) },
        {
          method: 'POST',
          path: '/api/v1/users',
          token: admin,
          body: json({ username: 'eve', password: keep('a password given to a user') }),
        },
        {
          method: 'POST',
          path: '/api/v1/users',
          token: admin,
          body: json({ username: 'eve', password: keep('a password that was in vain') }),
        },
        { method: 'POST', path: '/api/v1/users', token: admin, body: json({ username: 'zoe', secret: keep('a field that nobody knows') }) },
        { method: 'POST', path: '/api/v1/users', token: admin, body: `{"username":"zoe","password":"${keep('JSON that breaks off')}` },
        { method: 'POST', path: `${inShop}/secrets`, token: member, body: json(secret('one', keep('a Secret'))) },
        { method: 'PATCH', path: `${inShop}/secrets/one`, token: member, body: json({ stringData: { key: keep('a changed Secret') } }) },
        { method: 'POST', path: `${inShop}/secrets`, token: member, body: json(secret('Not A Name', keep('a Secret that was refused'))) },
        {
          method: 'POST',
          path: `${inShop}/pods/web/exec?command=x&command=--password%3D${keep('a password in a command')}`,
          token: member,
        },
        { path: `${door}/api/v1/pods`, token: `rfo_x_${keep('a token that is none')}` },
        { path: `/api/v1/self?token=${keep('a secret in a query')}`, token: member },
        { path: `/import/rfor_${keep('an import address that is none')}.yaml` },
        { method: 'POST', path: '/api/v1/tokens', token: member, body: '{}' },
        { method: 'POST', path: '/api/v1/kubeconfigs', token: member, body: '{}' },
        { method: 'POST', path: '/api/v1/clusters/elsewhere/registration', token: admin },
        {
          method: 'POST',
          path: `${inShop}/serviceaccounts/default/token`,
          token: member,
          body: json({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }),
        },
      ],
    });
    const told = answers.slice(-4).map(({ status, body }): Json => {
      assert.equal(status, 201, body);
      return JSON.parse(body);
    });
    secrets.set('another token', secretOf(told[0].secret));
    secrets.set('the token of a kubeconfig', secretOf(JSON.stringify(told[1].kubeconfig)));
    secrets.set('another import address', secretOf(told[2].url));
    secrets.set('a token of a service account', told[3].status.token.split('.')[2]);
    const own = await hub.kubectl(['get', 'secrets', '-n', 'rfo-system', '-o', 'json']);
    for (const { metadata, data = {} } of JSON.parse(own).items as { metadata: { name: string }; data?: Record<string, string> }[])
      for (const [key, value] of Object.entries(data)) {
        const text = Buffer.from(value, 'base64').toString();
        const lines = text.includes('PRIVATE KEY') ? text.split('\n').filter((line) => line.length > 40) : [];
        if (lines[1] !== undefined) secrets.set(`the key in ${metadata.name}/${key}`, lines[1]);
      }

    const seen = await everything(castle, hub, { asks: operations(document), tokens: [admin, auditor, member] });
    const found = [...secrets].flatMap(([what, value]) =>
      [...seen].filter(([, text]) => encodings(value).some((form) => text.includes(form))).map(([where]) => `${what} stands in ${where}`),
    );
    const size = [...seen.values()].reduce((sum, text) => sum + text.length, 0);
    note(`${secrets.size} secrets were looked for in ${seen.size} places with ${(size / 1e6).toFixed(1)} MB`);
    assert.deepEqual(found, []);
  });
}

function encodings(value: string): string[] {
  const bytes = Buffer.from(value);
  // Without the ends, which depend on what stands beside it.
  return [value, bytes.toString('base64').slice(0, -4), bytes.toString('hex')];
}

/** Everything that can be read, by where it stands. */
async function everything(
  { requests, manager }: Castle,
  hub: Node,
  { asks, tokens }: { readonly asks: readonly Ask[]; readonly tokens: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  const seen = new Map<string, string>();
  // What goes on has no end; the export is the same.
  const reading = asks.filter(({ method, path }) => method === 'GET' && !path.endsWith('/follow'));
  for (const [index, token] of tokens.entries()) {
    const { answers } = await requests.exchange({ asks: [...reading, { path: '/metrics' }].map((ask) => ({ ...ask, token })), atOnce: 4 });
    for (const [at, { path }] of [...reading, { path: '/metrics' }].entries())
      seen.set(`${path} for reader ${index}`, JSON.stringify(answers[at]?.headers) + answers[at]?.body);
  }
  assert.match(seen.get('/metrics for reader 0') ?? '', /rfo_manager_administrators 1\b/);
  assert.match(seen.get('/api/v1/audit/export for reader 0') ?? '', /"verb":"create-token"/, 'the audit is not among what is searched');
  const kinds = (await hub.kubectl(['api-resources', '--api-group=rfo.io', '-o', 'name'])).trim().split('\n');
  for (const kind of [...kinds, 'events', 'configmaps', 'leases.coordination.k8s.io'])
    seen.set(`objects ${kind}`, await hub.kubectl(['get', kind, '-A', '-o', 'json']));
  for (const service of ['manager', 'rfo'])
    seen.set(`the log of ${service}`, await readFile(join(hub.host.dir, 'logs', `${service}.log`), 'utf8'));
  assert.match(seen.get('the log of manager') ?? '', /serving/);
  seen.set('the list of processes', await hub.host.must(['ps', '-eo', 'args']));
  seen.set('rfo manager tokens', await manager.as('admin', ['tokens', 'list', '--all', '-o', 'json']));
  return seen;
}
