// docs/reference/manager-objects.md: every kind of rfo.io with its fields, written by `npm run generate` from the definitions that are installed.
import { renderCrds } from './render-crds.ts';
import type { StructuralSchema } from './render-schema.ts';

/** The whole document. */
export function renderObjectReference(): string {
  return [
    '<!-- Written by npm run generate. Do not edit. -->',
    '# Objects of the manager',
    '',
    'All that the manager knows are objects of the group `rfo.io/v1alpha1` in the cluster that it runs in. None of them has a namespace, and every one can be',
    'read and changed by kubectl: `kubectl get rfo` lists them all. A field whose name ends in `?` may be left out.',
    ...renderCrds().flatMap(({ spec: { names, versions } }) => {
      const schema = versions[0]?.schema.openAPIV3Schema ?? {};
      const { spec = {}, status } = schema.properties ?? {};
      return [
        '',
        `## ${names.kind}`,
        '',
        `${cell(schema.description ?? '')} \`kubectl get ${names.plural}.rfo.io\``,
        '',
        '| field | type | what it holds |',
        '|---|---|---|',
        ...rows('spec', spec),
        ...(status === undefined ? [] : rows('status', status)),
        ...rulesOf(schema).map((rule) => `\n${sentence(rule)}`),
      ];
    }),
    '',
  ].join('\n');
}

function rows(path: string, schema: StructuralSchema): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const own = `${path}.${name}`;
    const must = schema.required?.includes(name) === true || part.default !== undefined;
    const within = part.items?.properties === undefined ? part : part.items;
    const rules = [...rulesOf(part), ...rulesOf(part.items ?? {})].map(sentence);
    const said = [part.description ?? '', ...rules, ...defaultOf(part)].filter((text) => text !== '').join(' ');
    const row = `| \`${own}${must && part.default === undefined ? '' : '?'}\` | ${typeOf(part)} | ${cell(said)} |`;
    return name === 'conditions' ? [row] : [row, ...rows(part.items === undefined ? own : `${own}[]`, within)];
  });
}

function typeOf({ type, items, additionalProperties, enum: choices, format }: StructuralSchema): string {
  if (items?.properties?.lastTransitionTime !== undefined) return 'list of conditions';
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(' ');
  if (items !== undefined) return `list of ${items.type === 'object' ? 'objects' : `${items.type}s`}`;
  if (additionalProperties !== undefined) return `${additionalProperties.type} by name`;
  return format === 'date-time' ? 'time' : (type ?? '');
}

function rulesOf(schema: StructuralSchema): readonly string[] {
  const rules = schema['x-kubernetes-validations'];
  return Array.isArray(rules) ? rules.map(({ message }: { message: string }) => message) : [];
}

/** An empty list needs no word. */
function defaultOf({ default: initial }: StructuralSchema): readonly string[] {
  return initial === undefined || Array.isArray(initial) ? [] : [`Unless given: \`${initial}\`.`];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}
