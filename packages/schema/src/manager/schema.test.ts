import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod/mini';
import { count, field, mapList, optional, setOf, time } from './fields.ts';
import { managerKinds } from './kinds.ts';
import { objectParser } from './parse-object.ts';
import { renderCrds } from './render-crds.ts';
import { renderObjectReference } from './render-object-reference.ts';
import { renderSchema } from './render-schema.ts';

describe('a structural schema', () => {
  it('says what a declared type says, and requires only what has no default', () => {
    const type = z.object({
      name: field(z.string().check(z.maxLength(5)), 'A name.', [{ rule: 'self == oldSelf', message: 'it never changes' }]),
      at: optional(time(), 'When.'),
      number: field(count(1), 'How many.'),
      words: setOf(z.string(), 'Words.', 4),
      parts: mapList(z.object({ key: field(z.enum(['a', 'b']), 'Which.') }), ['key'], 'Parts.'),
    });
    assert.deepEqual(renderSchema(type), {
      type: 'object',
      properties: {
        name: {
          type: 'string',
          maxLength: 5,
          description: 'A name.',
          'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'it never changes' }],
        },
        at: {
          type: 'string',
          maxLength: 32,
          pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$',
          format: 'date-time',
          description: 'When.',
        },
        number: { type: 'integer', minimum: 1, maximum: 2_147_483_647, format: 'int32', description: 'How many.' },
        words: {
          type: 'array',
          items: { type: 'string' },
          maxItems: 4,
          'x-kubernetes-list-type': 'set',
          default: [],
          description: 'Words.',
        },
        parts: {
          type: 'array',
          maxItems: 256,
          items: { type: 'object', properties: { key: { type: 'string', enum: ['a', 'b'], description: 'Which.' } }, required: ['key'] },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['key'],
          default: [],
          description: 'Parts.',
        },
      },
      required: ['name', 'number'],
    });
  });

  it('is refused to a type that it cannot express', () => {
    assert.throws(() => renderSchema(z.object({ either: z.union([z.string(), z.number()]) })), /a structural schema has no anyOf/);
  });
});

describe('the definitions', () => {
  it('are one for each kind, without a namespace, with an age and in the category rfo', () => {
    const crds = renderCrds();
    assert.deepEqual(
      crds.map(({ metadata }) => metadata.name),
      Object.values(managerKinds).map(({ plural }) => `${plural}.rfo.io`),
    );
    for (const { spec } of crds) {
      assert.equal(spec.scope, 'Cluster');
      assert.deepEqual(spec.names.categories, ['rfo']);
      const columns = spec.versions[0]?.additionalPrinterColumns as { name: string }[];
      assert.equal(columns.at(-1)?.name, 'Age');
    }
  });

  it('describe every field, for kubectl explain', () => {
    const undescribed = renderCrds().flatMap(({ spec: { names, versions } }) => {
      const missing: string[] = [];
      const walk = (path: string, schema: ReturnType<typeof renderSchema>): void => {
        for (const [name, part] of Object.entries(schema.properties ?? {})) {
          if (part.description === undefined && !['apiVersion', 'kind', 'metadata', 'name', 'spec', 'status'].includes(name))
            missing.push(`${path}.${name}`);
          walk(`${path}.${name}`, part.items ?? part);
        }
      };
      walk(names.kind, versions[0]?.schema.openAPIV3Schema ?? {});
      return missing;
    });
    assert.deepEqual(undescribed, []);
  });
});

describe('what comes from the API', () => {
  const parse = objectParser(managerKinds.users);
  const user = {
    apiVersion: 'rfo.io/v1alpha1',
    kind: 'User',
    metadata: { name: 'u-1' },
    spec: { username: 'ann', enabled: true, identities: [], groups: [] },
  };

  it('is given back as it came, with fields that only a newer version knows', () => {
    const newer = { ...user, spec: { ...user.spec, birthday: 'today' } };
    const parsed = parse(newer);
    assert.ok('object' in parsed);
    assert.equal(parsed.object, newer);
  });

  it('is told apart from what is malformed, by the field and what is wrong with it', () => {
    const problem = (value: unknown): unknown => {
      const parsed = parse(value);
      return 'problem' in parsed ? parsed.problem : undefined;
    };
    assert.equal(problem({ ...user, spec: { ...user.spec, enabled: 'yes' } }), 'spec.enabled is not of the type boolean');
    assert.equal(problem({ ...user, kind: 'Group' }), 'kind is none of User');
    assert.match(String(problem({ ...user, spec: { ...user.spec, username: 'a b' } })), /^spec\.username does not match/);
    assert.equal(
      problem({ ...user, metadata: {}, spec: { username: 'x'.repeat(200), enabled: 1, identities: 2, groups: 3 } }),
      'metadata.name is not of the type string; spec.username is larger or longer than 128; spec.enabled is not of the type boolean; and 2 more',
    );
    assert.equal(problem(undefined), 'it is not of the type object');
  });
});

it('the reference tells the fields, their types and the rules over them', () => {
  const text = renderObjectReference();
  for (const { kind } of Object.values(managerKinds)) assert.match(text, new RegExp(`^## ${kind}$`, 'm'));
  assert.match(text, /^\| `spec\.username` \| string \| What is typed/m);
  assert.match(text, /^\| `spec\.members\[\]\.role` \| string \|/m);
  assert.match(text, /^\| `spec\.displayName\?` \| string \|/m);
  assert.match(text, /The user of a token never changes\./);
});
