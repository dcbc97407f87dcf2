// docs/reference/manager-watch.md: what is said over `/ws`, written by `npm run generate` from the objects that check it.
import * as z from 'zod/mini';
import {
  longestWatchRequest,
  watchableKinds,
  watchCloseCodes,
  watchDescriptions,
  watchMessageSchema,
  watchRequestSchema,
  watchSubprotocol,
} from './watch-protocol.ts';

/** The whole document. */
export function renderWatchReference(): string {
  return [
    '<!-- Written by npm run generate. Do not edit. -->',
    '# The WebSocket of the manager',
    '',
    `\`wss://<manager>/ws\`, with the subprotocol \`${watchSubprotocol}\`, follows any number of lists at once: of resources in clusters, and of the manager's own`,
    `objects (${watchableKinds.map((kind) => `\`${kind}\``).join(', ')}). It takes the same credentials as the REST interface: a bearer token, or the cookie of a`,
    'session from a page of the same origin. Every message is one JSON object as text. A field whose name ends in `?` may be left out.',
    '',
    'A client keeps for each subscription a map of objects by key and the order of the keys. `snapshot` replaces both; `changes` puts its objects into the map, and',
    'its `order`, where it has one, in the place of the old; what the order does not name is forgotten.',
    '',
    `The manager closes with 1001 when a replica ends (connect again), and with ${watchCloseCodes.accessWithdrawn} when the session or token has ended. A message of a client`,
    `has ${longestWatchRequest} bytes at most.`,
    '',
    '## From the client',
    ...watchRequestSchema._zod.def.options.flatMap(renderMessage),
    '',
    '## From the manager',
    ...watchMessageSchema._zod.def.options.flatMap(renderMessage),
    '',
  ].join('\n');
}

type Json = Readonly<Record<string, unknown>>;

function renderMessage(schema: z.core.$ZodType): readonly string[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  const shape = (schema as unknown as { readonly _zod: { readonly def: { readonly shape: Readonly<Record<string, z.core.$ZodType>> } } })
    ._zod.def.shape;
  const { type, ...fields } = properties;
  const rows = Object.entries(fields).map(([name, field]) => {
    const at = shape[name];
    const said = at === undefined ? '' : (watchDescriptions.get(at)?.description ?? '');
    return `| \`${name}${required.includes(name) ? '' : '?'}\` | ${cell(typeOf(field))} | ${cell(said)} |`;
  });
  return [
    '',
    `### ${String(type?.const)}`,
    '',
    watchDescriptions.get(schema)?.description ?? '',
    ...(rows.length === 0 ? [] : ['', '| field | type | what it holds |', '|---|---|---|', ...rows]),
  ];
}

function typeOf({ type, items, anyOf, properties, required, enum: choices, additionalProperties, default: preset }: Json): string {
  if (Array.isArray(anyOf)) return anyOf.map((each: Json) => typeOf(each)).join(' or ');
  if (Array.isArray(choices)) return choices.length > 3 ? 'one of the kinds' : choices.map((choice) => `\`${String(choice)}\``).join(', ');
  if (typeof properties === 'object' && properties !== null) {
    const must = Array.isArray(required) ? required : [];
    return `{${Object.keys(properties)
      .map((name) => (must.includes(name) ? name : `${name}?`))
      .join(', ')}}`;
  }
  if (type === 'array') return `list of ${typeOf((items ?? {}) as Json)}s`;
  if (type === 'object') {
    const inner = typeOf((typeof additionalProperties === 'object' ? additionalProperties : {}) as Json);
    return inner === '' ? 'objects by key' : `${inner}s by key`;
  }
  return `${typeof type === 'string' ? type : ''}${preset === undefined ? '' : ` (${String(preset)})`}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
