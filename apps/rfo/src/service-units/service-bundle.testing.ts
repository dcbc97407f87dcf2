// Checks an SMF manifest for tests, element by element as service_bundle(5) describes it: no package registry has the DTD of illumos. Where a host
// has it, the tests ask that as well.
import assert from 'node:assert/strict';

export type XmlElement = {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
};

/** The elements within, as `a? (b|c)*` over their names, and the attributes: a form for each, those with `?` may be missing. */
type Rule = { readonly content: string; readonly attributes: Readonly<Record<string, RegExp>>; readonly text?: true };

const any = /./;
const grouping = /^(require_all|require_any|exclude_all|optional_all)$/;
const restart = /^(error|restart|refresh|none)$/;
const types = /^(count|integer|opaque|host|hostname|net_address_v4|net_address_v6|time|astring|ustring|boolean|fmri|uri)$/;
const flag = /^(true|false)$/;

const rules: Readonly<Record<string, Rule>> = {
  service_bundle: { content: 'service*', attributes: { type: /^(archive|manifest|profile)$/, name: any } },
  service: {
    content:
      'create_default_instance? single_instance? restarter? dependency* dependent* method_context? exec_method* property_group* instance* stability? template?',
    attributes: { name: /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/, type: /^(service|restarter|milestone)$/, version: /^\d+$/ },
  },
  create_default_instance: { content: '', attributes: { enabled: flag } },
  single_instance: { content: '', attributes: {} },
  dependency: {
    content: 'service_fmri* stability? (propval|property)*',
    attributes: { 'name': /^[A-Za-z][\w-]*$/, grouping, 'restart_on': restart, 'type': /^(service|path)$/, 'delete?': flag },
  },
  service_fmri: { content: '', attributes: { value: /^(svc:\/|file:\/\/localhost\/)[\w./:-]+$/ } },
  method_context: {
    content: '(method_profile|method_credential)? method_environment?',
    attributes: { 'working_directory?': /^(\/|:)/, 'project?': any, 'resource_pool?': any },
  },
  method_credential: {
    content: '',
    attributes: { 'user': any, 'group?': any, 'supp_groups?': any, 'privileges?': /^[\w!,]+$/, 'limit_privileges?': /^[\w!,]+$/ },
  },
  method_environment: { content: 'envvar+', attributes: {} },
  envvar: { content: '', attributes: { name: /^[A-Z_]+$/, value: any } },
  exec_method: {
    content: 'method_context? stability? (propval|property)*',
    attributes: { 'type': /^(method|monitor)$/, 'name': any, 'exec': /^(\/|:)/, 'timeout_seconds': /^(-1|\d+)$/, 'delete?': flag },
  },
  property_group: { content: 'stability? (propval|property)*', attributes: { 'name': any, 'type': any, 'delete?': flag } },
  propval: { content: '', attributes: { 'name': any, 'type': types, 'value': any, 'override?': flag } },
  stability: { content: '', attributes: { value: /^(Standard|Stable|Evolving|Unstable|External|Obsolete)$/ } },
  template: { content: 'common_name description? documentation? pg_pattern*', attributes: {} },
  common_name: { content: 'loctext+', attributes: {} },
  description: { content: 'loctext+', attributes: {} },
  loctext: { content: '', attributes: { 'xml:lang': /^\w+$/ }, text: true },
};

/** @throws AssertionError for what is not well-formed or not as the format has it; gives the bundle */
export function checkServiceBundle(xml: string): XmlElement {
  const bundle = parseXml(xml);
  assert.equal(bundle.tag, 'service_bundle');
  check(bundle, bundle.tag);
  return bundle;
}

/** Every element with this name, in order. */
export function elementsOf(element: XmlElement, tag: string): readonly XmlElement[] {
  return [...(element.tag === tag ? [element] : []), ...element.children.flatMap((child) => elementsOf(child, tag))];
}

function check({ tag, attributes, children, text }: XmlElement, at: string): void {
  const rule = rules[tag];
  assert.ok(rule, `${at}: no element of this name is known`);
  const allowed = new Map(Object.entries(rule.attributes).map(([name, form]) => [name.replace('?', ''), form]));
  for (const [name, value] of Object.entries(attributes)) assert.match(value, allowed.get(name) ?? /^no such attribute$/, `${at}/@${name}`);
  const missing = Object.keys(rule.attributes).filter((name) => !name.endsWith('?') && attributes[name] === undefined);
  assert.deepEqual(missing, [], `${at}: attributes are missing`);
  const names = children.map((child) => `<${child.tag}>`).join('');
  const form = rule.content.replaceAll(/\w+/g, (name) => `(<${name}>)`).replaceAll(' ', '');
  assert.match(names, new RegExp(`^${form}$`), `${at} holds ${names}, not ${rule.content}`);
  assert.equal(text.trim() !== '', rule.text === true, `${at}: text "${text.trim()}"`);
  for (const child of children) check(child, `${at}/${child.tag}`);
}

/** Elements, attributes in double quotes, text and comments: all that a manifest is made of. */
function parseXml(xml: string): XmlElement {
  type Open = { tag: string; attributes: Record<string, string>; children: XmlElement[]; text: string };
  const top: Open = { tag: '', attributes: {}, children: [], text: '' };
  const open: Open[] = [top];
  const body = xml
    .replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<!DOCTYPE service_bundle SYSTEM "[^"]+">\n/, '')
    .replaceAll(/<!--(?:(?!--)[\s\S])*-->/g, '');
  assert.doesNotMatch(body, /<[!?]/, 'an XML declaration, a DOCTYPE or a comment that is not closed');
  for (const [, text = '', tag = ''] of body.matchAll(/([^<]*)(<[^>]*>)?/g)) {
    const parent = open.at(-1) ?? top;
    assert.doesNotMatch(text.replaceAll(/&(amp|lt|gt|quot|apos);/g, ''), /&/, 'an entity that nobody knows');
    parent.text += text;
    if (tag === '') continue;
    const closing = /^<\/([\w:-]+)>$/.exec(tag);
    if (closing !== null) {
      assert.equal(closing[1], parent.tag, 'what was opened last is closed first');
      open.pop();
      continue;
    }
    const opening = /^<([\w:-]+)((?: [\w:-]+="[^"<]*")*)(\/?)>$/.exec(tag);
    assert.ok(opening, `not an element: ${tag}`);
    const attributes = Object.fromEntries(
      [...(opening[2] ?? '').matchAll(/ ([\w:-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, plain(value)]),
    );
    const element: Open = { tag: opening[1] ?? '', attributes, children: [], text: '' };
    parent.children.push(element);
    if (opening[3] === '') open.push(element);
  }
  assert.equal(open.length, 1, 'every element is closed');
  assert.equal(top.children.length, 1, 'one element holds all others');
  assert.equal(top.text.trim(), '');
  return top.children[0] ?? top;
}

function plain(value: string): string {
  const letters: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' };
  return value.replaceAll(/&\w+;/g, (entity) => letters[entity] ?? entity);
}
