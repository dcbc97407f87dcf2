import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allows, formatPermissions, missingPermissions, type Permission, type PolicyRule } from './policy-rule.ts';

const rule = (verbs: string, resources: string, rest: Partial<PolicyRule> = {}): PolicyRule => ({
  verbs: verbs.split(','),
  apiGroups: [''],
  resources: resources.split(','),
  ...rest,
});
const missing = (owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): string =>
  formatPermissions(missingPermissions(owned, wanted));

describe('what of wanted rights somebody does not hold', () => {
  it('is nothing where several rules together hold it', () => {
    const owned = [rule('get', 'pods,services'), rule('list', 'pods'), rule('list', 'services')];
    assert.equal(missing(owned, [rule('get,list', 'pods,services')]), '');
  });

  it('is named one by one, with subresource, group and object', () => {
    const wanted = [rule('create', 'pods/exec'), rule('get', 'deployments', { apiGroups: ['apps'], resourceNames: ['web'] })];
    assert.equal(missing([rule('get,create', 'pods')], wanted), 'create pods/exec; get deployments.apps "web"');
  });

  it('is a wildcard unless a wildcard is held, however much else is', () => {
    const all = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'].join(',');
    assert.equal(missing([rule(all, 'pods')], [rule('*', 'pods')]), '* pods');
    assert.equal(missing([rule('*', 'pods')], [rule(all, 'pods')]), '');
    assert.equal(missing([rule('*', '*')], [rule('create', 'pods/exec')]), '');
    assert.equal(missing([rule('*', '*')], [rule('get', 'jobs', { apiGroups: ['batch'] })]), 'get jobs.batch');
  });

  it('is a subresource where the resource alone is held, unless that subresource of everything is', () => {
    assert.equal(missing([rule('update', '*/scale')], [rule('update', 'deployments/scale')]), '');
    assert.equal(missing([rule('update', '*/scale')], [rule('update', 'deployments')]), 'update deployments');
    assert.equal(missing([rule('update', 'deployments/*')], [rule('update', 'deployments/scale')]), 'update deployments/scale');
  });

  it('is every object where only named ones are held', () => {
    const named = rule('get', 'secrets', { resourceNames: ['a', 'b'] });
    assert.equal(missing([named], [rule('get', 'secrets')]), 'get secrets');
    assert.equal(missing([rule('get', 'secrets')], [named]), '');
    assert.equal(missing([named], [rule('get', 'secrets', { resourceNames: ['b', 'c'] })]), 'get secrets "c"');
  });

  it('is a path unless it or a beginning of it with a star is held', () => {
    const urls = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });
    assert.equal(missing([urls('/healthz', '/logs/*')], [urls('/healthz', '/logs/a/b', '/logs/a/*')]), '');
    assert.equal(missing([urls('/logs/*')], [urls('/logs', '*')]), 'get /logs; get *');
    assert.equal(missing([rule('*', '*', { apiGroups: ['*'] })], [urls('/metrics')]), 'get /metrics');
  });
});

/** A request as the authorizer of an API server sees it. Names of the universe that no rule can name stand for all there may ever be. */
type Asked =
  | { readonly verb: string; readonly group: string; readonly resource: string; readonly name: string }
  | { readonly verb: string; readonly url: string };
const verbs = ['get', 'create', 'unheard'];
const universe: readonly Asked[] = [
  ...verbs.flatMap((verb) => ['/healthz', '/healthz/unheard', '/health-unheard', '/metrics', '/unheard'].map((url) => ({ verb, url }))),
  ...verbs.flatMap((verb) =>
    ['', 'apps', 'unheard'].flatMap((group) =>
      ['pods', 'pods/exec', 'secrets', 'unheard', 'unheard/exec', 'unheard/unheard'].flatMap((resource) =>
        ['', 'a', 'unheard'].map((name) => ({ verb, group, resource, name })),
      ),
    ),
  ),
];

/** Written after the documentation of RBAC alone, as simply as can be. */
function authorizes(rules: readonly PolicyRule[], asked: Asked): boolean {
  return rules.some(({ verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }) => {
    if (!verbs.some((verb) => verb === '*' || verb === asked.verb)) return false;
    if ('url' in asked) {
      return nonResourceURLs.some((url) => (url.endsWith('*') ? asked.url.startsWith(url.slice(0, -1)) : url === asked.url));
    }
    const [, subresource] = asked.resource.split('/');
    const names = ['*', asked.resource, ...(subresource === undefined ? [] : [`*/${subresource}`])];
    return (
      apiGroups.some((group) => group === '*' || group === asked.group) &&
      resources.some((resource) => names.includes(resource)) &&
      (resourceNames.length === 0 || resourceNames.includes(asked.name))
    );
  });
}

const some = (...values: string[]) => fc.subarray(values, { minLength: 1, maxLength: 2 });
const anyRule: fc.Arbitrary<PolicyRule> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      verbs: some('get', 'create', '*'),
      apiGroups: some('', 'apps', '*'),
      resources: some('pods', 'pods/exec', 'secrets', '*/exec', '*'),
      resourceNames: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(['a']) }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ verbs: some('get', '*'), nonResourceURLs: some('/healthz', '/healthz/*', '/health*', '/metrics', '*') }),
  },
);

describe('the comparison of rules', () => {
  it('says that nothing is missing exactly if no request is let through that was not before', () => {
    const seen = { yes: 0, no: 0 };
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 6 }), fc.array(anyRule, { minLength: 1, maxLength: 2 }), (owned, wanted) => {
        const gains = universe.some((asked) => authorizes(wanted, asked) && !authorizes(owned, asked));
        seen[gains ? 'yes' : 'no']++;
        assert.equal(missingPermissions(owned, wanted).length > 0, gains);
      }),
      { numRuns: 3000 },
    );
    // Both answers have to have been tried often, or this says little.
    assert.ok(seen.yes > 300 && seen.no > 300, JSON.stringify(seen));
  });

  it('lets through what the authorizer would', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 3 }), fc.constantFrom(...universe), (rules, asked) => {
        const { name, ...rest } = { name: undefined, ...asked };
        assert.equal(allows(rules, (name ? { ...rest, name } : rest) as Permission), authorizes(rules, asked));
      }),
      { numRuns: 2000 },
    );
  });
});
