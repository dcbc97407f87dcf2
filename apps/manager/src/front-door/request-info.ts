/** What a request to a Kubernetes API asks for, read from its method and path as the API server reads it (k8s.io/apiserver, RequestInfo). */

export type RequestInfo = {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, `proxy`; the method in lower case where it is no resource. */
  readonly verb: string;
  /** Undefined where the path is that of no resource: `/version`, `/healthz`, `/apis`. */
  readonly resource?: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
};

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
/** Subresources of a namespace itself, not collections within it. */
const ofNamespace: ReadonlySet<string> = new Set(['status', 'finalize']);

/** @param path without query, checked by `parseTarget` */
export function readRequestInfo({
  method,
  path,
  query,
}: {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}): RequestInfo {
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const grouped = parts[0] === 'apis';
  const rest = parts.slice(grouped ? 3 : 2);
  if ((parts[0] !== 'api' && !grouped) || rest.length === 0) return { verb: method.toLowerCase(), group: '' };
  const group = grouped ? (parts[1] ?? '') : '';

  let special: string | undefined;
  // The old forms /api/v1/watch/… and /api/v1/proxy/….
  if ((rest[0] === 'watch' || rest[0] === 'proxy') && rest.length > 1) special = rest.shift();
  let namespace: string | undefined;
  if (rest[0] === 'namespaces' && rest[1] !== undefined) {
    namespace = rest[1];
    if (rest.length > 2 && !ofNamespace.has(rest[2] ?? '')) rest.splice(0, 2);
  }
  const [resource = '', name, subresource] = rest;
  return {
    verb: special ?? verbOf({ method, query, name }),
    group,
    resource,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
  };
}

function verbOf({ method, query, name }: { method: string; query: URLSearchParams; name: string | undefined }): string {
  const verb = verbs[method] ?? method.toLowerCase();
  if (verb === 'get' && isTrue(query.get('watch'))) return 'watch';
  if (verb === 'get' && name === undefined) return 'list';
  if (verb === 'delete' && name === undefined) return 'deletecollection';
  return verb;
}

/** What goes on for as long as both ends like: nothing of it may run into a time limit. */
export function isLongRunning({
  verb,
  subresource,
  resource,
  path,
}: Pick<RequestInfo, 'verb' | 'subresource' | 'resource'> & { readonly path: string }): boolean {
  if (verb === 'watch' || verb === 'proxy') return true;
  if (resource === undefined) return path.startsWith('/debug/pprof/');
  return subresource !== undefined && longRunning.has(subresource);
}

const longRunning: ReadonlySet<string> = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

/** `deployments.apps`, `pods`. */
export function formatResource({ resource, group }: Pick<RequestInfo, 'resource' | 'group'>): string | undefined {
  return resource === undefined || group === '' ? resource : `${resource}.${group}`;
}

/** The API server takes `watch`, `watch=1` and `watch=true` for yes, and so must we. */
function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}
