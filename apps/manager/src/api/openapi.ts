// The OpenAPI 3.1 document, made of the table of routes and the zod objects that validate their requests and answers.
import * as z from 'zod/mini';
import type { Route } from './route.ts';
import { schemaNames } from './schema-names.ts';

type Json = Readonly<Record<string, unknown>>;

/** @param version of the manager */
export function renderOpenApi(routes: readonly Route[], { version }: { readonly version: string }): Json {
  const schemas = new Map<string, unknown>([['Problem', schemaOf(problem, 'output', new Map())]]);
  const paths = new Map<string, Map<string, Json>>();
  for (const route of routes) {
    const path = `/api/v1${route.path}`.replaceAll(/:(\w+)/g, '{$1}');
    const operations = paths.get(path) ?? new Map<string, Json>();
    operations.set(route.method.toLowerCase(), operation(route, schemas));
    paths.set(path, operations);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'RFO manager',
      version,
      description:
        'Clusters, projects, users and rights. Lists take filter, search, sort, page and pageSize; PATCH takes a JSON merge patch (RFC 7396).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { session: [], csrf: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths: Object.fromEntries([...paths].map(([path, operations]) => [path, Object.fromEntries(operations)])),
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token: rfo_<id>_<secret>' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-rfo-session' },
        csrf: { type: 'apiKey', in: 'header', name: 'x-rfo-csrf', description: 'With a session, for everything but GET' },
      },
      schemas: Object.fromEntries([...schemas].sort(([one], [other]) => (one < other ? -1 : 1))),
    },
  };
}

/** The one form of every answer that is an error. */
const problem = z.object({ code: z.string(), message: z.string(), cure: z.string() });

function operation(route: Route, schemas: Map<string, unknown>): Json {
  const { method, summary, tag, access, body, answer, lines, status } = route;
  const media = lines ? 'application/jsonl' : 'application/json';
  const success =
    answer === undefined
      ? { description: 'Done' }
      : { description: 'Done', content: { [media]: { schema: schemaOf(answer, 'output', schemas) } } };
  const bodyType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return {
    operationId: operationId(route),
    summary,
    tags: [tag],
    ...(access.kind === 'anybody' && { security: [] }),
    parameters: [...parametersOf(route.params, 'path', schemas), ...parametersOf(route.query, 'query', schemas)],
    ...(body !== undefined && { requestBody: { required: true, content: { [bodyType]: { schema: schemaOf(body, 'input', schemas) } } } }),
    responses: {
      [status]: success,
      default: {
        description: 'Refused',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

/** `GET /clusters/:name` is `get-clusters-name`: one of a kind, and stable. */
function operationId({ method, path }: Pick<Route, 'method' | 'path'>): string {
  return `${method.toLowerCase()}${path.replaceAll(/[/:.]+/g, '-')}`;
}

function parametersOf(schema: z.ZodMiniType | undefined, where: 'path' | 'query', schemas: Map<string, unknown>): readonly Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input', schemas) as { properties?: Json; required?: readonly string[] };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    ...((where === 'path' || required.includes(name)) && { required: true }),
    schema: property,
  }));
}

const unnamed = z.registry<{ readonly id: string }>();

/** The schema; those that have a name become components, which are added to `schemas`. */
function schemaOf(schema: z.ZodMiniType, io: 'input' | 'output', schemas: Map<string, unknown>): Json {
  // What is sent may be less than what comes back: a name stands for one of the two alone.
  const metadata = io === 'output' ? schemaNames : unnamed;
  const {
    $schema: _,
    $defs = {},
    ...rest
  } = z.toJSONSchema(schema, { io, metadata, unrepresentable: 'any' }) as Json & { readonly $defs?: Json };
  for (const [name, definition] of Object.entries($defs)) schemas.set(name, withReferences(definition));
  return withReferences(rest) as Json;
}

function withReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withReferences);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) =>
        key === '$ref' && typeof inner === 'string'
          ? [key, inner.replace('#/$defs/', '#/components/schemas/')]
          : key === 'id' && typeof inner === 'string'
            ? []
            : [key, withReferences(inner)],
      )
      .filter((entry) => entry.length === 2),
  );
}
