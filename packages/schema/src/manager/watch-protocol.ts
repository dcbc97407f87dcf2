// What a client and the manager say to each other over `/ws`: one text message of JSON each way at a time, any number of subscriptions beside each other.
import * as z from 'zod/mini';

const described = z.registry<{ readonly description: string }>();

/** What the reference says of a field or message. */
export const watchDescriptions: Pick<typeof described, 'get'> = described;

function say<T extends z.core.$ZodType>(type: T, description: string): T {
  described.add(type, { description });
  return type;
}

const longest = { text: 512, list: 32, id: 64, page: 1000 } as const;
const text = () => z.string().check(z.minLength(1), z.maxLength(longest.text));
const label = z.string().check(z.minLength(1), z.maxLength(63), z.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/));
const subdomain = z.string().check(z.minLength(1), z.maxLength(253), z.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/));

/** Names a resource of a cluster, as it stands in the paths of its API. */
export const resourceFields = {
  cluster: label,
  group: say(subdomain, 'API group; `core` for the one without a name.'),
  version: label,
  resource: say(subdomain, 'Plural, as in paths: `pods`.'),
};

const id = say(
  z.string().check(z.minLength(1), z.maxLength(longest.id)),
  'Given by the client; names the subscription in both directions.',
);
const key = z.string().check(z.minLength(1), z.maxLength(longest.text));

/** Kinds of the manager's own objects that can be followed. */
export const watchableKinds = ['Cluster', 'Project', 'User', 'Token', 'RoleTemplate', 'GlobalRoleBinding', 'Setting'] as const;

const query = {
  filter: say(
    z.optional(z.array(text()).check(z.maxLength(longest.list))),
    'Conditions that all hold: `status.phase=Running`, with `=`, `!=`, `~` (contains), `!~`, `<`, `>`.',
  ),
  selector: say(z.optional(text()), 'Label selector: `tier=front,env in (prod,test)`.'),
  search: say(z.optional(text()), 'A text that stands in name, namespace or labels; in any text of the own objects of the manager.'),
  sort: say(z.optional(text()), 'Fields to sort by, a minus before one turns it round: `-metadata.creationTimestamp,name`.'),
  page: say(z.prefault(z.int().check(z.gte(1)), 1), 'The first is 1.'),
  pageSize: say(z.prefault(z.int().check(z.gte(1), z.lte(longest.page)), 100), 'Objects in a page.'),
};

const subscribe = say(
  z.strictObject({
    type: z.literal('subscribe'),
    id,
    of: say(
      z.union([z.strictObject({ ...resourceFields, namespace: z.optional(label) }), z.strictObject({ kind: z.enum(watchableKinds) })]),
      'A resource of a cluster, or a kind of the own objects of the manager.',
    ),
    ...query,
    cursor: say(z.optional(z.string().check(z.maxLength(4096))), 'In the place of `page`: `next` of the page before.'),
    known: say(
      z.optional(z.record(key, z.string().check(z.maxLength(64))).check(z.refine((known) => Object.keys(known).length <= longest.page))),
      'After a reconnect: the keys of the objects that the client still has, with their `resourceVersion`. What is the same is not sent again.',
    ),
  }),
  'Asks for one page of a list, and for all its changes. Answered by a `snapshot`, with `known` by `changes`, or by an `error`.',
);

const clientMessage = z.discriminatedUnion('type', [
  subscribe,
  say(z.strictObject({ type: z.literal('unsubscribe'), id }), 'Ends a subscription. Nothing is answered, and nothing more of it comes.'),
  say(z.strictObject({ type: z.literal('ping') }), 'Answered by a `pong`.'),
]);

const order = say(z.array(key), 'The keys of all objects of the page, in order: `namespace/name`, or `name`.');
const objects = () => z.record(key, z.unknown());
const counted = {
  total: say(z.number(), 'Objects that fit, in all pages.'),
  next: say(z.optional(z.string()), 'Cursor of the page behind; absent on the last.'),
};
const flaw = { code: say(z.string(), 'Of the table of errors.'), message: z.string(), cure: z.string() };

const serverMessage = z.discriminatedUnion('type', [
  say(
    z.object({ type: z.literal('snapshot'), id, ...counted, order, objects: say(objects(), 'Each by its key.') }),
    'The whole page. What the client had of it before is void.',
  ),
  say(
    z.object({
      type: z.literal('changes'),
      id,
      ...counted,
      order: say(z.optional(order), 'As in a snapshot; absent where it is the same as before. Keys that it does not name are gone.'),
      objects: say(objects(), 'Those that are new or other than before.'),
    }),
    'What is different since the last message, however many changes lie between: a client that reads slowly gets fewer messages, never older ones.',
  ),
  say(
    z.object({ type: z.literal('interrupted'), id, ...flaw }),
    'The page cannot be followed at present and is shown as it was; a `changes` or `snapshot` tells when it is again.',
  ),
  say(
    z.object({ type: z.literal('error'), id: say(z.optional(id), 'Of the subscription, where it is about one.'), ...flaw }),
    'The subscription is over, or was never begun. Without `id`: the message was not understood, or the connection ends.',
  ),
  say(z.object({ type: z.literal('pong') }), 'To a `ping`.'),
]);

export type WatchRequest = Readonly<z.output<typeof clientMessage>>;
export type WatchSubscribe = Readonly<z.output<typeof subscribe>>;
export type WatchMessage = Readonly<z.output<typeof serverMessage>>;

/** Longest message (bytes) of a client. */
export const longestWatchRequest = 256 * 1024;
/** Subprotocol (RFC 6455 §1.9); a client that names none is taken to speak it. */
export const watchSubprotocol = 'v1.watch.rfo.io';
/** Codes by which the manager closes a connection, beside those of RFC 6455. */
export const watchCloseCodes = { accessWithdrawn: 4401 } as const;

export const watchRequestSchema = clientMessage;
export const watchMessageSchema = serverMessage;

/** Throws the errors of zod. */
export const parseWatchMessage = (value: unknown): WatchMessage => z.parse(serverMessage, value);
