// The definitions of rfo.io before a real API server: it takes them, and holds objects to them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLog } from '@rfo/foundation';
import { apiStatus, type KubeClient, type KubeObject, startTestCluster, type TestCluster } from '@rfo/kube';
import { installCrds } from './install-crds.ts';
import { managerApiVersion, managerKinds } from './schema.ts';

let cluster: TestCluster;
let client: KubeClient;
before(async () => {
  cluster = await startTestCluster();
  client = cluster.client;
  await installCrds(client, { log: silentLog, signal: AbortSignal.timeout(90_000) });
});
after(() => cluster?.stop());

const hash = 'ab'.repeat(32);
const at = '2026-11-21T18:00:00Z';
const subject = { kind: 'User', name: 'u-ann' };

type Spec = Readonly<Record<string, unknown>>;
const specs: { readonly [Name in keyof typeof managerKinds]: Spec } = {
  clusters: { displayName: 'Factory 7', authorizedEndpoint: { enabled: true, address: 'k8s.example.com' } },
  users: {
    username: 'Ann.Müller@example.com',
    displayName: 'Ann Müller',
    email: 'ann@example.com',
    enabled: true,
    identities: [{ provider: 'local', id: 'u-ann' }],
  },
  roleTemplates: { scope: 'project', rules: [{ apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get'] }], inherits: ['viewer'] },
  globalRoleBindings: { role: 'administrator', subjects: [subject, { kind: 'Group', name: 'CN=Admins,DC=example' }] },
  projects: {
    members: [
      { ...subject, role: 'owner' },
      { ...subject, role: 'viewer' },
    ],
    places: [{ cluster: 'factory-7', namespaces: ['shop', 'shop-test'] }, { cluster: 'local' }],
    quota: { hard: { 'limits.cpu': '10', 'requests.memory': '2.5Gi' } },
  },
  tokens: { user: 'u-ann', kind: 'api', hash, expiresAt: at, provider: 'local', clusters: ['local'], idleSeconds: 600 },
  authProviders: {
    type: 'oidc',
    displayName: 'Company',
    enabled: false,
    oidc: { issuer: 'https://id.example.com', clientId: 'rfo' },
  },
  settings: { value: 'https://rfo.example.com' },
  auditSegments: { replica: 'rfo-manager-7d9f', sequence: 0, first: at, last: at, previous: '', hash, entries: 'KLUv/SAA' },
};

const object = (kind: string, name: string, spec: Spec): KubeObject => ({ apiVersion: managerApiVersion, kind, metadata: { name }, spec });

const directory = (ldap: Spec): Spec => ({
  type: 'ldap',
  displayName: 'Directory',
  enabled: false,
  ldap: { servers: ['ldap.example.com:636', '[2001:db8::1]'], userBase: 'ou=people,dc=example', ...ldap },
});

/** What the API server says to an object that it does not take. */
async function refusal(send: Promise<unknown>): Promise<string> {
  const error = await send.then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  const status = apiStatus(error);
  assert.equal(status?.reason, 'Invalid', String(error));
  return status.message;
}

describe('the API server', () => {
  it('takes the definitions again without changing anything', async () => {
    const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'projects.rfo.io' };
    const first = await client.get(crd);
    await installCrds(client, { log: silentLog, signal: AbortSignal.timeout(90_000) });
    assert.equal((await client.get(crd)).metadata.resourceVersion, first.metadata.resourceVersion);
  });

  it('fills in what the settings of a directory leave out, on the safe side', async () => {
    const made = await client.create(object('AuthProvider', 'directory', directory({})));
    assert.partialDeepStrictEqual(made, {
      spec: { allowEverybody: false, ldap: { security: 'tls', preset: 'openldap', timeoutSeconds: 10 } },
    });
  });

  it('finds nothing in them to complain about', async () => {
    for (const { plural } of Object.values(managerKinds)) {
      const crd = await client.get<KubeObject & { status: { conditions: { type: string; status: string; message: string }[] } }>({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        name: `${plural}.rfo.io`,
      });
      const complaints = crd.status.conditions.filter(({ type, status }) => type === 'NonStructuralSchema' && status === 'True');
      assert.deepEqual(complaints, []);
    }
  });

  for (const [name, spec] of Object.entries(specs)) {
    const { kind } = managerKinds[name as keyof typeof managerKinds];
    it(`takes a ${kind}, keeps all of it and fills in what was left out`, async () => {
      const taken = await client.create(object(kind, name === 'settings' ? 'server-url' : `good-${kind.toLowerCase()}`, spec));
      assert.partialDeepStrictEqual(taken.spec, spec);
    });
  }

  it('keeps a status only where it is written as such', async () => {
    const kind = 'Cluster';
    const made = await client.create({ ...object(kind, 'with-status', {}), status: { phase: 'Active' } });
    assert.equal(made.status, undefined);
    const ref = { apiVersion: managerApiVersion, kind, name: 'with-status' };
    const told = await client.patchStatus<KubeObject>(ref, { nodes: { total: 3, ready: 2 } });
    assert.deepEqual(told.status, { nodes: { total: 3, ready: 2 }, phase: 'Pending', conditions: [], components: [] });
  });

  it('shows tables with the columns that were declared', async () => {
    const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
    const { text } = await client.raw({ method: 'GET', path: `/apis/${managerApiVersion}/clusters/with-status`, headers: { accept } });
    const table = JSON.parse(text) as { columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] };
    const cells = Object.fromEntries(table.columnDefinitions.map(({ name }, index) => [name, table.rows[0]?.cells[index]]));
    assert.equal(cells.Phase, 'Pending');
    assert.equal(cells.Nodes, 3);
  });

  it('finds tokens by their user', async () => {
    await client.create(object('Token', 'of-bob', { ...specs.tokens, user: 'u-bob' }));
    const { items } = await client.list({ apiVersion: managerApiVersion, kind: 'Token' }, { fieldSelector: 'spec.user=u-bob' });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['of-bob'],
    );
  });
});

describe('the API server refuses', () => {
  const cases: readonly (readonly [what: string, kind: string, spec: Spec, message: RegExp, name?: string])[] = [
    ['a User without a name to sign in with', 'User', { enabled: true }, /spec\.username: Required value/],
    ['a name to sign in with that has a space in it', 'User', { username: 'ann m', enabled: true }, /spec\.username: Invalid value/],
    [
      'a name to sign in with that ends where a password would begin',
      'User',
      { username: 'ann:m', enabled: true },
      /spec\.username: Invalid value/,
    ],
    [
      'the same identity twice',
      'User',
      {
        username: 'a',
        enabled: true,
        identities: [
          { provider: 'x', id: '1' },
          { provider: 'x', id: '1' },
        ],
      },
      /spec\.identities\[1\]: Duplicate value/,
    ],
    ['a name that would not fit into a label', 'User', { username: 'a', enabled: true }, /metadata\.name: Too long/, 'x'.repeat(64)],
    ['a name with a dot, which groups and labels could not tell apart', 'Project', {}, /metadata\.name: Invalid value/, 'a.b'],
    [
      'a role that inherits itself',
      'RoleTemplate',
      { scope: 'global', inherits: ['ouroboros'] },
      /a role cannot inherit itself/,
      'ouroboros',
    ],
    ['a role of an unknown scope', 'RoleTemplate', { scope: 'galaxy' }, /supported values: "global", "project"/],
    [
      'a rule without a verb',
      'RoleTemplate',
      { scope: 'global', rules: [{ apiGroups: [''], resources: ['pods'], verbs: [] }] },
      /verbs: Invalid value/,
    ],
    [
      'a rule about nothing',
      'RoleTemplate',
      { scope: 'global', rules: [{ verbs: ['get'] }] },
      /either apiGroups and resources, or nonResourceURLs/,
    ],
    [
      'a rule about objects and paths at once',
      'RoleTemplate',
      { scope: 'global', rules: [{ apiGroups: [''], resources: ['pods'], nonResourceURLs: ['/x'], verbs: ['get'] }] },
      /either apiGroups and resources, or nonResourceURLs/,
    ],
    [
      'a binding to a thing that is neither user nor group',
      'GlobalRoleBinding',
      { role: 'user', subjects: [{ kind: 'ServiceAccount', name: 'x' }] },
      /supported values: "User", "Group"/,
    ],
    [
      'a project that names a cluster twice',
      'Project',
      { places: [{ cluster: 'a' }, { cluster: 'a', namespaces: ['b'] }] },
      /spec\.places\[1\]: Duplicate value/,
    ],
    [
      'a place with an empty list of namespaces, which would be neither all nor some',
      'Project',
      { places: [{ cluster: 'a', namespaces: [] }] },
      /namespaces: Invalid value/,
    ],
    [
      'a namespace that cannot be one',
      'Project',
      { places: [{ cluster: 'a', namespaces: ['../kube-system'] }] },
      /namespaces\[0\]: Invalid value/,
    ],
    ['a quota that is no amount', 'Project', { quota: { hard: { pods: 'many' } } }, /every value has to be a quantity/],
    ['a token whose hash is none', 'Token', { ...specs.tokens, hash: 'secret' }, /spec\.hash: Invalid value/],
    ['a token that never ends', 'Token', { ...specs.tokens, expiresAt: 'never' }, /spec\.expiresAt: Invalid value/],
    [
      'an address of the server that is not https',
      'Setting',
      { value: 'http://rfo.example.com' },
      /server-url has to be an https address/,
      'server-url',
    ],
    [
      'an address of the server with a path',
      'Setting',
      { value: 'https://rfo.example.com/k8s' },
      /server-url has to be an https address/,
      'server-url',
    ],
    [
      'an audit segment that is not base64',
      'AuditSegment',
      { ...specs.auditSegments, entries: '{"user":"ann"}' },
      /spec\.entries: Invalid value/,
    ],
    ['a directory without a server', 'AuthProvider', directory({ servers: [] }), /a directory needs at least one server/],
    [
      'a directory by a URL',
      'AuthProvider',
      directory({ servers: ['ldap://ldap.example.com'] }),
      /spec\.ldap\.servers\[0\]: Invalid value/,
    ],
    [
      'groups in groups by memberUid',
      'AuthProvider',
      directory({ membership: 'memberUid', nested: 'walk' }),
      /groups in groups are asked for/,
    ],
    ['a provider with the settings of another type', 'AuthProvider', { ...directory({}), type: 'oidc' }, /has the settings of its type/],
    ['an object without a spec', 'AuthProvider', undefined as unknown as Spec, /spec: Required value/],
  ];
  before(async () => {
    await client.delete({ apiVersion: managerApiVersion, kind: 'Setting', name: 'server-url' });
  });
  for (const [what, kind, spec, message, name = 'wrong'] of cases) {
    it(what, async () => {
      assert.match(await refusal(client.create(object(kind, name, spec))), message);
    });
  }

  it('to change what a token is, for that would be to become its user', async () => {
    const ref = { apiVersion: managerApiVersion, kind: 'Token', name: 'good-token' };
    for (const [field, value] of [
      ['user', 'u-root'],
      ['hash', 'cd'.repeat(32)],
      ['kind', 'session'],
      ['provider', 'ldap'],
    ])
      assert.match(
        await refusal(client.patch(ref, { spec: { [String(field)]: value } })),
        new RegExp(`the ${field} of a token never changes`),
      );
    await client.patch(ref, { spec: { description: 'of the build server' } });
  });

  it('to change the role of a binding', async () => {
    const ref = { apiVersion: managerApiVersion, kind: 'GlobalRoleBinding', name: 'good-globalrolebinding' };
    assert.match(await refusal(client.patch(ref, { spec: { role: 'user' } })), /the role of a binding never changes/);
  });
});
