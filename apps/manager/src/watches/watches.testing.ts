/** For tests: the REST interface and `/ws` over a real API server, which is both the manager's own and the cluster `local`, with rights as the manager grants them. */
import { type Answer, type ApiLab, type Json, startApiLab } from '../api/api.testing.ts';
import type { Caller } from '../identity/caller.ts';
import { testCaller } from '../rights/rights.testing.ts';
import { connectWatch, type WatchClient } from './client.testing.ts';

export type WatchLab = ApiLab & {
  readonly client: ApiLab['parts']['client'];
  readonly connect: (token: string) => Promise<WatchClient>;
  /** Who has signed in as admin. */
  readonly administrator: () => Caller;
  /** `GET /clusters/local/resources/…` */
  readonly list: (token: string, resource: string, query?: Readonly<Record<string, string | readonly string[]>>) => Promise<Answer>;
  /** Somebody with a role in the project `shop`, which has the namespace `shop`. */
  readonly member: (username: string, role: string) => Promise<string>;
  /** Makes exactly these its members. */
  readonly setMembers: (roles: Readonly<Record<string, string>>) => Promise<void>;
  readonly configMap: (
    namespace: string,
    name: string,
    data?: Readonly<Record<string, string>>,
    labels?: Readonly<Record<string, string>>,
  ) => Promise<Json>;
};

const group = 'rbac.authorization.k8s.io';
const rbac = `${group}/v1`;

export async function startWatchLab(): Promise<WatchLab> {
  const lab = await startApiLab();
  const { client, objects } = lab.parts;
  for (const name of ['shop', 'web']) await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  // What the manager keeps in a cluster for these roles.
  const role = (name: string, resources: readonly string[]) =>
    client.create({
      apiVersion: rbac,
      kind: 'ClusterRole',
      metadata: { name },
      rules: [{ apiGroups: [''], resources, verbs: ['get', 'list', 'watch'] }],
    });
  const subjects = (name: string) => [{ apiGroup: group, kind: 'Group', name }];
  const bind = (name: string, namespace: string, to: string) =>
    client.create({
      ...{ apiVersion: rbac, kind: 'RoleBinding', metadata: { name: name.replaceAll(':', '-'), namespace } },
      ...{ roleRef: { apiGroup: group, kind: 'ClusterRole', name: to }, subjects: subjects(name) },
    });
  await Promise.all([role('look', ['configmaps', 'pods']), role('work', ['configmaps', 'pods', 'secrets'])]);
  await client.create({
    ...{ apiVersion: rbac, kind: 'ClusterRoleBinding', metadata: { name: 'admins' } },
    ...{ roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'cluster-admin' }, subjects: subjects('rfo:role:administrator') },
  });
  await Promise.all([bind('rfo:project:shop:viewer', 'shop', 'look'), bind('rfo:project:shop:member', 'shop', 'work')]);
  await objects.projects.create({
    metadata: { name: 'shop' },
    spec: { members: [], places: [{ cluster: 'local', namespaces: ['shop'] }] },
  });

  const named = new Map<string, string>();
  const setMembers = async (roles: Readonly<Record<string, string>>): Promise<void> => {
    const members = Object.entries(roles).map(([username, role_]) => ({
      kind: 'User' as const,
      name: named.get(username) ?? '',
      role: role_,
    }));
    await objects.projects.patch('shop', { spec: { members } });
  };
  return {
    ...lab,
    client,
    setMembers,
    connect: (token) => connectWatch(lab.port, { authorization: `Bearer ${token}` }),
    administrator: () => {
      const user = objects.users.by('username', 'admin')[0]?.metadata.name ?? '';
      return { ...testCaller(user, { kind: 'session' }), username: 'admin' };
    },
    list: (token, resource, query = {}) => {
      const pairs = Object.entries(query).flatMap(([key, value]) => [value].flat().map((each) => [key, String(each)]));
      return lab.ask({ token, path: `/clusters/local/resources/${resource}?${new URLSearchParams(pairs)}` });
    },
    member: async (username, role_) => {
      const token = await lab.someone(username);
      const user = objects.users.by('username', username)[0]?.metadata.name ?? '';
      named.set(username, user);
      const { members } = objects.projects.get('shop')?.spec ?? { members: [] };
      await objects.projects.patch('shop', { spec: { members: [...members, { kind: 'User', name: user, role: role_ }] } });
      return token;
    },
    configMap: (namespace, name, data = {}, labels = {}) =>
      client.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, labels }, data } as never, {
        fieldManager: 'test',
        force: true,
      }),
  };
}
