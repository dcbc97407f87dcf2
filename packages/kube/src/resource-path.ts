/** Renders the paths and queries of the Kubernetes API. */

/** A kind as the API serves it. */
export type ApiResource = {
  readonly apiVersion: string;
  readonly kind: string;
  /** Plural in paths: `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
};

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `/api/v1` or `/apis/apps/v1`. */
export function groupVersionPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The path of a collection, an object or its subresource. Without a namespace, the collection of all namespaces. */
export function resourcePath(
  resource: ApiResource,
  input: { readonly namespace?: string | undefined; readonly name?: string; readonly subresource?: string | undefined } = {},
): string {
  const parts = [groupVersionPath(resource.apiVersion)];
  if (resource.namespaced && input.namespace !== undefined) parts.push('namespaces', encodeURIComponent(input.namespace));
  parts.push(resource.plural);
  if (input.name !== undefined) parts.push(encodeURIComponent(input.name));
  if (input.subresource !== undefined) parts.push(input.subresource);
  return parts.join('/');
}

/** `?a=1&b=x`, or nothing where no value is given. */
export function renderQuery(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
