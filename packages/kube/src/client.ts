import { apiError, isNotFound } from './api-status.ts';
import { type CredentialSources, createCredentialReader } from './credentials.ts';
import { createDiscovery } from './discovery.ts';
import { createHttp2Transport } from './http2-transport.ts';
import { readJsonLines, readText } from './json-lines.ts';
import { formatRef, type Kind, type KubeObject, type ObjectList, type ObjectRef, refOf } from './object.ts';
import { type ApiResource, type Query, renderQuery, resourcePath } from './resource-path.ts';
import type { Headers, Transport, TransportRequest } from './transport.ts';

export type KubeClientOptions = CredentialSources & {
  /** `https://host:port` */
  readonly server: string;
  readonly serverName?: string | undefined;
  /** Act as somebody else; needs the right to impersonate. */
  readonly impersonate?: { readonly user: string; readonly groups?: readonly string[] } | undefined;
};

export type Selection = {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
};
type Signal = { readonly signal?: AbortSignal | undefined };
export type ApplyOptions = Signal & {
  /** Whose fields these are. */
  readonly fieldManager: string;
  /** Take over fields that another manager set; without it that is a Conflict. */
  readonly force?: boolean;
  readonly subresource?: 'status' | 'scale';
  readonly dryRun?: boolean;
};
export type PatchOptions = Signal & { readonly type?: 'merge' | 'json' | 'strategic'; readonly subresource?: 'status' | 'scale' };
export type DeleteOptions = Signal & {
  /** What becomes of objects that this one owns. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  /** Only if the object is still this one. */
  readonly uid?: string;
};
export type RawRequest = Signal & Pick<TransportRequest, 'method' | 'path' | 'headers' | 'body'> & { readonly idle?: number };
export type WatchEvent = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'; readonly object: KubeObject };

/**
 * A Kubernetes API. All methods throw kube-api (refused; `apiStatus(error)` has the server's Status), kube-busy and kube-unreachable
 * (both worth another try), kube-kind-unknown, or the reason of the signal.
 */
export type KubeClient = {
  readonly server: string;
  readonly get: <T extends KubeObject>(ref: ObjectRef, options?: Signal) => Promise<T>;
  /** Like get; undefined where there is no such object. */
  readonly find: <T extends KubeObject>(ref: ObjectRef, options?: Signal) => Promise<T | undefined>;
  /** Everything selected, fetched in pages of 500. */
  readonly list: <T extends KubeObject>(kind: Kind, options?: Selection & Signal) => Promise<ObjectList<T>>;
  readonly create: <T extends KubeObject>(object: T, options?: Signal) => Promise<T>;
  /** Writes the whole object; with `metadata.resourceVersion` only if nobody else did meanwhile (else Conflict). */
  readonly replace: <T extends KubeObject>(object: T, options?: Signal) => Promise<T>;
  /** Server-side apply: sets exactly these fields and owns them; creates the object if need be. */
  readonly apply: <T extends KubeObject>(object: T, options: ApplyOptions) => Promise<T>;
  readonly patch: <T extends KubeObject>(ref: ObjectRef, patch: unknown, options?: PatchOptions) => Promise<T>;
  readonly patchStatus: <T extends KubeObject>(ref: ObjectRef, status: unknown, options?: Signal) => Promise<T>;
  /** Gives false where there was no such object. */
  readonly delete: (ref: ObjectRef, options?: DeleteOptions) => Promise<boolean>;
  /** Any request; the answer as text whatever its status. */
  readonly raw: (request: RawRequest) => Promise<{ readonly status: number; readonly text: string }>;
  /** One watch request, until the server ends it. For all but special cases, `watch` is what you want. */
  readonly watchOnce: (
    kind: Kind,
    options: Selection & Signal & { readonly query: Query; readonly idle: number },
  ) => AsyncGenerator<WatchEvent>;
  readonly resourceOf: (kind: Kind) => Promise<ApiResource>;
  readonly close: () => void;
};

/** Milliseconds without a byte of the answer; the API server itself gives up after 60 s. */
const answerWithin = 65_000;
const pageSize = 500;
const json = 'application/json';
const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

/** A client of the API server at `options.server`. Files of certificates and tokens are read again when they change. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { server, serverName } = options;
  const transport = createHttp2Transport({ server, serverName, credentials: createCredentialReader(options) });
  return clientOn(transport, server, impersonation(options));
}

/** The same over any other transport. */
export function clientOn(transport: Transport, server: string, everyHeader: Headers = {}): KubeClient {
  const raw: KubeClient['raw'] = async ({ headers, idle = answerWithin, ...request }) => {
    const response = await transport.request({ ...request, idle, headers: { accept: json, ...everyHeader, ...headers } });
    return { status: response.status, text: await readText(response.body) };
  };

  const call = async (what: string, request: RawRequest): Promise<unknown> => {
    const { status, text } = await raw(request);
    if (status < 200 || status > 299) throw apiError(what, status, jsonOrText(text));
    return JSON.parse(text);
  };

  const discovery = createDiscovery((path) => call(`read ${path}`, { method: 'GET', path }));

  const pathOf = async (ref: ObjectRef, subresource?: string): Promise<string> =>
    resourcePath(await discovery.resourceOf(ref), { namespace: ref.namespace, name: ref.name, subresource });

  /** Sends an object or patch and takes the server's answer for what the caller says it is: the one edge where types are believed. */
  const write = async <T>(what: string, request: RawRequest & { readonly contentType: string }): Promise<T> => {
    const { contentType, ...rest } = request;
    return (await call(what, { ...rest, headers: { 'content-type': contentType } })) as T;
  };

  const get: KubeClient['get'] = async <T extends KubeObject>(ref: ObjectRef, { signal }: Signal = {}) =>
    (await call(`get ${formatRef(ref)}`, { method: 'GET', path: await pathOf(ref), signal })) as T;

  const patch: KubeClient['patch'] = async (ref, body, { type = 'merge', subresource, signal } = {}) =>
    write(`patch ${formatRef(ref)}`, {
      method: 'PATCH',
      path: await pathOf(ref, subresource),
      body: JSON.stringify(body),
      contentType: patchTypes[type],
      signal,
    });

  return {
    server,
    raw,
    get,
    patch,
    find: (ref, signal) => get(ref, signal).catch(undefinedIfNotFound) as never,
    list: async <T extends KubeObject>(kind: Kind, { namespace, labelSelector, fieldSelector, signal }: Selection & Signal = {}) => {
      const path = resourcePath(await discovery.resourceOf(kind), { namespace });
      const items: T[] = [];
      for (let next: string | undefined; ; ) {
        const query = renderQuery({ labelSelector, fieldSelector, limit: pageSize, continue: next });
        const page = (await call(`list ${kind.kind}`, { method: 'GET', path: path + query, signal })) as ListAnswer<T>;
        // Items of a list come without apiVersion and kind.
        for (const item of page.items ?? []) items.push({ ...item, apiVersion: kind.apiVersion, kind: kind.kind });
        next = page.metadata.continue;
        if (!next) return { items, resourceVersion: page.metadata.resourceVersion };
      }
    },
    create: async (object, { signal } = {}) => {
      const { name: _, ...collection } = refOf(object);
      const path = resourcePath(await discovery.resourceOf(object), collection);
      return write(`create ${formatRef(refOf(object))}`, { method: 'POST', path, body: JSON.stringify(object), contentType: json, signal });
    },
    replace: async (object, { signal } = {}) => {
      const ref = refOf(object);
      return write(`replace ${formatRef(ref)}`, {
        method: 'PUT',
        path: await pathOf(ref),
        body: JSON.stringify(object),
        contentType: json,
        signal,
      });
    },
    apply: async (object, { fieldManager, force, subresource, dryRun, signal }) => {
      const ref = refOf(object);
      const query = renderQuery({ fieldManager, force, dryRun: dryRun ? 'All' : undefined });
      const path = (await pathOf(ref, subresource)) + query;
      // JSON is YAML.
      return write(`apply ${formatRef(ref)}`, {
        method: 'PATCH',
        path,
        body: JSON.stringify(object),
        contentType: 'application/apply-patch+yaml',
        signal,
      });
    },
    patchStatus: (ref, status, { signal } = {}) => patch(ref, { status }, { subresource: 'status', signal }),
    delete: async (ref, { propagation = 'Background', uid, signal } = {}) => {
      const body = JSON.stringify({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: propagation,
        ...(uid !== undefined && { preconditions: { uid } }),
      });
      const path = await pathOf(ref);
      const deleted = await write(`delete ${formatRef(ref)}`, { method: 'DELETE', path, body, contentType: json, signal }).catch(
        undefinedIfNotFound,
      );
      return deleted !== undefined;
    },
    watchOnce: async function* (kind, { namespace, labelSelector, fieldSelector, query, idle, signal }) {
      const path = resourcePath(await discovery.resourceOf(kind), { namespace });
      const search = renderQuery({ watch: true, labelSelector, fieldSelector, ...query });
      const headers = { accept: json, ...everyHeader };
      const { status, body } = await transport.request({ method: 'GET', path: path + search, headers, idle, signal });
      if (status !== 200) throw apiError(`watch ${kind.kind}`, status, jsonOrText(await readText(body)));
      for await (const event of readJsonLines(body)) yield event as WatchEvent;
    },
    resourceOf: discovery.resourceOf,
    close: transport.close,
  };
}

type ListAnswer<T> = {
  readonly items?: readonly T[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
};

function impersonation({ impersonate }: KubeClientOptions): Headers {
  if (impersonate === undefined) return {};
  const { user, groups = [] } = impersonate;
  return { 'impersonate-user': user, ...(groups.length > 0 && { 'impersonate-group': groups }) };
}

function undefinedIfNotFound(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}

/** Some refusals (of a proxy, of an overloaded server) are plain text. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
