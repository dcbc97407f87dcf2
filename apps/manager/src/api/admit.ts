// The one place where it is decided whether a request may be carried out. Every route passes here before anything of its body is read.
import type { IncomingHttpHeaders } from 'node:http';
import { fail } from '@rfo/foundation';
import type { Caller } from '../identity/caller.ts';
import type { Identity } from '../identity/create-identity.ts';
import type { Rights } from '../rights/create-rights.ts';
import type { ManagedKind } from '../rights/may.ts';
import { changes, type Route, type Verb } from './route.ts';

/** Who calls; undefined where the route answers anybody. @throws the errors of `Identity.authenticate` */
export async function identify(
  { access, method }: Route,
  headers: IncomingHttpHeaders,
  identity: Pick<Identity, 'authenticate'>,
): Promise<Caller | undefined> {
  return access.kind === 'anybody' ? undefined : await identity.authenticate(headers, { method });
}

/**
 * Passes if the caller may use the route.
 * @param name of the object that the path names, where there is one
 * @param parts.ownerOf name of the User whose Token it is
 * @throws api-token-narrow, token-read-only, api-forbidden
 */
export async function authorise(
  route: Route,
  { caller, name }: { readonly caller: Caller; readonly name: string | undefined },
  { rights, ownerOf }: { readonly rights: Pick<Rights, 'may'>; readonly ownerOf: (token: string) => Promise<string | undefined> },
): Promise<void> {
  const { token } = caller;
  if (!route.narrow && (token.kind === 'kubeconfig' || token.clusters !== undefined)) throw fail('api-token-narrow', {});
  if (token.readOnly && changes(route)) throw fail('token-read-only', { verb: route.method, what: route.path });
  if (route.access.kind !== 'right') return;
  const { verb, of } = route.access;
  const owner = of === 'Token' && name !== undefined ? await ownerOf(name) : undefined;
  demand(rights, caller, { verb, kind: of, name, owner });
}

/** @throws api-forbidden */
function demand(
  rights: Pick<Rights, 'may'>,
  caller: Caller,
  asked: { readonly verb: Verb; readonly kind: ManagedKind; readonly name?: string | undefined; readonly owner?: string | undefined },
): void {
  const { verb, kind, name, owner } = asked;
  if (rights.may(caller, { verb, kind, ...(name !== undefined && { name }), ...(owner !== undefined && { owner }) })) return;
  throw fail('api-forbidden', {
    username: caller.username,
    verb,
    what: name === undefined ? `objects of the kind ${kind}` : `${kind} "${name}"`,
  });
}
