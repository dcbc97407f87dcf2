import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { builtInRoles, type RoleSource } from './built-in-roles.ts';
import { missingPermissions } from './policy-rule.ts';
import { resolveRoles } from './resolve-roles.ts';

const source = (name: string, inherits: readonly string[] = [], rest: Partial<RoleSource> = {}): RoleSource => ({
  name,
  scope: 'project',
  rules: [{ verbs: ['get'], apiGroups: [''], resources: [name] }],
  clusterRules: [],
  inherits,
  locked: false,
  ...rest,
});
const resourcesOf = (sources: readonly RoleSource[], name: string) =>
  resolveRoles(sources)
    .roles.get(name)
    ?.rules.flatMap(({ resources }) => resources);

describe('a role that inherits', () => {
  it('has the rules of everything above it, each once', () => {
    const sources = [source('a', ['b', 'c']), source('b', ['d']), source('c', ['d']), source('d')];
    assert.deepEqual(resourcesOf(sources, 'a')?.sort(), ['a', 'b', 'c', 'd']);
  });

  it('is refused with everything that inherits it where it comes back to itself', () => {
    const { roles, problems } = resolveRoles([source('a', ['b']), source('b', ['c']), source('c', ['b']), source('d')]);
    assert.deepEqual([...roles.keys()], ['d']);
    assert.equal(problems.get('a'), 'it inherits itself: b → c → b');
    assert.equal(problems.get('c'), 'it inherits itself: c → b → c');
  });

  it('is refused where what it inherits does not exist or is of the other scope', () => {
    const { roles, problems } = resolveRoles([source('a', ['nowhere']), source('b', ['g']), source('g', [], { scope: 'global' })]);
    assert.deepEqual([...roles.keys()], ['g']);
    assert.match(problems.get('a') ?? '', /"nowhere", which does not exist/);
    assert.match(problems.get('b') ?? '', /"g" of the scope global/);
  });

  it('costs little even where every role inherits all of the next layer', () => {
    const layers = Array.from({ length: 20 }, (_, layer) =>
      Array.from({ length: 5 }, (__, index) =>
        source(`r${layer}-${index}`, layer === 19 ? [] : Array.from({ length: 5 }, (___, next) => `r${layer + 1}-${next}`)),
      ),
    );
    assert.equal(resourcesOf(layers.flat(), 'r0-0')?.length, 96);
  });
});

describe('the built-in roles', () => {
  const { roles, problems } = resolveRoles(builtInRoles);
  const rulesOf = (name: string) => roles.get(name)?.rules ?? [];
  const everywhere = (name: string) => [...rulesOf(name), ...(roles.get(name)?.clusterRules ?? [])];

  it('can all be used, and each project role includes the one below', () => {
    assert.equal(problems.size, 0);
    for (const [more, less] of [
      ['owner', 'cluster-manager'],
      ['cluster-manager', 'member'],
      ['member', 'viewer'],
      ['administrator', 'owner'],
    ] as const) {
      assert.deepEqual(missingPermissions(rulesOf(more), rulesOf(less)), [], `${more} includes ${less}`);
      assert.deepEqual(missingPermissions(everywhere(more), everywhere(less)), [], `${more} includes ${less} in whole clusters`);
    }
  });

  it('let nobody but administrators and managers of whole clusters change a namespace, its quota or what is not in it', () => {
    for (const name of ['owner', 'cluster-manager', 'member', 'viewer', 'auditor', 'user']) {
      for (const rule of rulesOf(name).filter(({ verbs }) => verbs.some((verb) => !['get', 'list', 'watch'].includes(verb)))) {
        assert.ok(
          !rule.resources?.some((resource) => ['*', 'namespaces', 'resourcequotas', 'limitranges', 'nodes'].includes(resource)),
          `${name}: ${rule.resources}`,
        );
        assert.ok(!rule.verbs.some((verb) => ['*', 'impersonate', 'escalate', 'bind'].includes(verb)), `${name}: ${rule.verbs}`);
      }
    }
  });

  it('show secrets to those who may use them, not to those who look', () => {
    const secrets = [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }];
    for (const name of ['viewer', 'auditor', 'user']) assert.equal(missingPermissions(everywhere(name), secrets).length, 1, name);
    for (const name of ['member', 'owner']) assert.equal(missingPermissions(rulesOf(name), secrets).length, 0, name);
  });
});
