/** registries.yaml in RKE2's form, turned into the `certs.d/<host>/hosts.toml` files that containerd reads at each pull: a change acts at once. */
import { join } from 'node:path';
import { fail } from '@rfo/foundation';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { renderToml, type TomlTable } from './toml.ts';

const authSchema = z.strictObject({
  username: z.optional(z.string()),
  password: z.optional(z.string()),
  token: z.optional(z.string()),
  auth: z.optional(z.string()),
});
const tlsSchema = z.strictObject({
  ca_file: z.optional(z.string()),
  cert_file: z.optional(z.string()),
  key_file: z.optional(z.string()),
  insecure_skip_verify: z.optional(z.boolean()),
});
const mirrorSchema = z.strictObject({
  endpoint: z.optional(z.array(z.string())),
  rewrite: z.optional(z.record(z.string(), z.string())),
});
const registriesSchema = z.strictObject({
  /** By registry host, or `*` for all that are not named. */
  mirrors: z.optional(z.record(z.string(), mirrorSchema)),
  /** By host and port of a registry or of a mirror's endpoint. */
  configs: z.optional(z.record(z.string(), z.strictObject({ auth: z.optional(authSchema), tls: z.optional(tlsSchema) }))),
});

export type Registries = z.infer<typeof registriesSchema>;
type Mirror = z.infer<typeof mirrorSchema>;
type RegistryAuth = z.infer<typeof authSchema>;
export type HostsFile = { readonly path: string; readonly content: string };

/**
 * Reads the text of registries.yaml.
 * @throws config-invalid, config-unknown-key, config-unreadable
 */
export function parseRegistries(text: string, file: string): Registries {
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (error) {
    throw fail(
      'config-unreadable',
      { file, problem: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) },
      error,
    );
  }
  const result = z.safeParse(registriesSchema, value);
  if (result.success) return result.data;
  throw shapeError(result.error.issues[0], file);
}

/**
 * The hosts.toml files, one a registry that is mirrored or has TLS settings.
 * @param input.folder the certs.d folder
 * @param input.file name of the user's file, for errors
 * @throws config-invalid for a rewrite that containerd cannot do, or an endpoint that is no URL
 */
export function renderRegistryHosts(input: {
  registries: Registries;
  folder: string;
  file: string;
  disableDefaultEndpoint: boolean;
}): HostsFile[] {
  const { mirrors = {}, configs = {} } = input.registries;
  const names = [...new Set([...Object.keys(mirrors), ...Object.keys(configs)])];
  return names.map((name) => ({
    path: join(input.folder, name === '*' ? '_default' : name, 'hosts.toml'),
    content: renderHosts(name, mirrors[name] ?? {}, input),
  }));
}

function shapeError(issue: z.core.$ZodIssue | undefined, file: string): Error {
  const place = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const suggestion = 'It has mirrors (endpoint, rewrite) and configs (auth, tls)';
    return fail('config-unknown-key', { key: [...issue.path, issue.keys[0]].join('.'), where: file, suggestion });
  }
  const expected = issue?.code === 'invalid_type' ? `is not of the type ${issue.expected}` : 'is not valid';
  return fail('config-invalid', { key: place, where: file, problem: expected, cure: 'Write it as the reference of registries.yaml says' });
}

type HostsInput = Parameters<typeof renderRegistryHosts>[0];
type Endpoint = { readonly url: string; readonly host: string; readonly overridePath: boolean };

/** The last of the places to ask stands at the top of the file, the others before it in their order. */
function renderHosts(name: string, mirror: Mirror, input: HostsInput): string {
  const mirrors = (mirror.endpoint ?? []).map((endpoint) => readEndpoint(endpoint, { name, mirror, input }));
  const itself: Endpoint[] = name === '*' ? [] : [{ url: registryUrl(name), host: name, overridePath: false }];
  const all = input.disableDefaultEndpoint && mirrors.length > 0 ? mirrors : [...mirrors, ...itself];
  // Of the file for all registries containerd itself fills in the last place: the registry that is asked for.
  const last = name === '*' && !input.disableDefaultEndpoint ? undefined : all.at(-1);
  const others = last === undefined ? all : all.slice(0, -1);
  return renderToml([
    ...(last === undefined ? [] : endpointTables([], last, input, { server: last.url })),
    ...others.flatMap((endpoint) => endpointTables(['host', endpoint.url], endpoint, input, {})),
  ]);
}

function endpointTables(path: readonly string[], endpoint: Endpoint, input: HostsInput, first: TomlTable['values']): TomlTable[] {
  const { auth, tls } = input.registries.configs?.[endpoint.host] ?? {};
  const pair = tls?.cert_file !== undefined && tls.key_file !== undefined ? [[tls.cert_file, tls.key_file]] : undefined;
  const values = {
    ...first,
    capabilities: ['pull', 'resolve'],
    override_path: endpoint.overridePath || undefined,
    ca: tls?.ca_file,
    client: pair,
    skip_verify: tls?.insecure_skip_verify === true ? true : undefined,
  };
  const basic = auth === undefined ? undefined : basicCredentials(endpoint.host, auth, input);
  return [{ path, values }, ...(basic === undefined ? [] : [{ path: [...path, 'header'], values: { authorization: `Basic ${basic}` } }])];
}

/** containerd sends this to the registry, and to the token service that a registry refers it to. */
function basicCredentials(host: string, auth: RegistryAuth, input: HostsInput): string | undefined {
  if (auth.auth !== undefined) return auth.auth;
  if (auth.username !== undefined) return Buffer.from(`${auth.username}:${auth.password ?? ''}`).toString('base64');
  if (auth.token === undefined) return undefined;
  throw invalid({ input }, `configs.${host}.auth.token: containerd takes no identity tokens`, 'Give username and password');
}

/** An endpoint with a path is taken as it is, one without gets containerd's `/v2`. */
function readEndpoint(endpoint: string, context: { name: string; mirror: Mirror; input: HostsInput }): Endpoint {
  const url = URL.parse(endpoint.includes('://') ? endpoint : `https://${endpoint}`);
  if (url === null)
    throw invalid(context, `mirrors.${context.name}.endpoint: "${endpoint}" is not a URL`, 'Give one such as https://mirror.example:5000');
  const prefix = rewritePrefix(context);
  const path = url.pathname.replace(/\/+$/, '');
  const full = prefix === undefined ? path : `${path === '' ? '/v2' : path}/${prefix}`;
  return { url: `${url.origin}${full}`, host: url.host, overridePath: full !== '' && full !== '/v2' };
}

/** containerd rewrites no names, but it can be sent below a path: the rewrite that puts a prefix before the whole name can be done so. */
function rewritePrefix(context: { name: string; mirror: Mirror; input: HostsInput }): string | undefined {
  const rules = Object.entries(context.mirror.rewrite ?? {});
  if (rules.length === 0) return undefined;
  const [[pattern, replacement] = ['', ''], ...more] = rules;
  const [, prefix] = /^([^$]+)\/(?:\$1|\$\{1\})$/.exec(replacement) ?? [];
  if (more.length > 0 || prefix === undefined || !/^\^?\(\^?\.[*+]\$?\)\$?$/.test(pattern)) {
    throw invalid(
      context,
      `mirrors.${context.name}.rewrite: containerd cannot rewrite "${pattern}" to "${replacement}"`,
      'Only a prefix for all names is possible: "^(.*)$": "prefix/$1"',
    );
  }
  return prefix;
}

function invalid(context: { input: HostsInput }, problem: string, cure: string): Error {
  const [key = '', text = ''] = problem.split(': ', 2);
  return fail('config-invalid', { key, where: context.input.file, problem: text, cure });
}

function registryUrl(name: string): string {
  return name === 'docker.io' ? 'https://registry-1.docker.io' : `https://${name}`;
}
