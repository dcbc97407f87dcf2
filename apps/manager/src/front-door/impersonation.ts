/**
 * Under whose name a request goes on. Its caller is impersonated in the cluster by our own headers; that he asks to impersonate somebody else is checked
 * as the API server checks it (k8s.io/apiserver, impersonation filter), but with his rights and not with those of the agent.
 */
import { fail } from '@rfo/foundation';
import { eachHeader } from '@rfo/proxy';
import type { Caller } from '../identity/caller.ts';

/** Somebody to act as. */
export type Person = {
  readonly user: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  /** Names in lower case. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
};

const prefix = 'impersonate-';
const extraPrefix = 'impersonate-extra-';
/** Each is a question to the cluster. */
const mostAsked = 64;
/** They tell who it really was, and are ours to set. */
const ownExtra = /^rfo\.io\//;

/** The caller as clusters know him. @param groups those that `Rights.in` gives */
export function personOf(caller: Caller, groups: readonly string[]): Person {
  return { user: `rfo:${caller.user}`, groups, extra: extraOf(caller) };
}

/**
 * Whom the client asks to act as; undefined where it does not ask.
 * @throws impersonation-invalid
 */
export function readWanted(rawHeaders: readonly string[]): Person | undefined {
  const users: string[] = [];
  const groups: string[] = [];
  const uids: string[] = [];
  const extra: Record<string, string[]> = Object.create(null);
  let asked = 0;
  eachHeader(rawHeaders, (name, value) => {
    if (!name.startsWith(prefix)) return;
    asked++;
    // What is checked and what the cluster reads have to be the same characters.
    if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)) throw invalid(`${name} has no printable ASCII text`);
    if (name === 'impersonate-user') users.push(value);
    else if (name === 'impersonate-group') groups.push(value);
    else if (name === 'impersonate-uid') uids.push(value);
    else if (name.startsWith(extraPrefix) && name.length > extraPrefix.length) {
      const key = extraKey(name);
      extra[key] = [...(extra[key] ?? []), value];
    } else throw invalid(`${name} is none of them`);
  });
  if (asked === 0) return undefined;
  const [user] = users;
  const [uid] = uids;
  if (user === undefined) throw invalid('there is no Impersonate-User');
  if (users.length > 1 || uids.length > 1) throw invalid('user and uid can be given once');
  if (asked > mostAsked) throw invalid(`there are more than ${mostAsked}`);
  return { user, groups, extra, ...(uid !== undefined && { uid }) };
}

/** What is reserved to administrators, however the rights of the cluster are. Gives the name that is, or undefined. */
export function reservedIn(wanted: Person, { administrator }: { readonly administrator: boolean }): string | undefined {
  const key = Object.keys(wanted.extra).find((name) => ownExtra.test(name));
  if (key !== undefined) return `one with the extra ${key}`;
  if (administrator) return undefined;
  const names = [wanted.user, ...wanted.groups];
  return names.find((name) => name.startsWith('rfo:') || name === 'system:masters');
}

/** Attributes of a SubjectAccessReview (authorization.k8s.io/v1). */
export type ResourceAttributes = {
  readonly verb: 'impersonate';
  readonly resource: string;
  readonly group?: string;
  readonly namespace?: string;
  readonly subresource?: string;
  readonly name: string;
};

/** All rights that it takes to act as this person. */
export function neededFor(wanted: Person): ResourceAttributes[] {
  const verb = 'impersonate';
  const [, namespace, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(wanted.user) ?? [];
  const user: ResourceAttributes =
    namespace !== undefined && account !== undefined
      ? { verb, resource: 'serviceaccounts', namespace, name: account }
      : { verb, resource: 'users', name: wanted.user };
  const group = 'authentication.k8s.io';
  return [
    user,
    ...wanted.groups.map((name): ResourceAttributes => ({ verb, resource: 'groups', name })),
    ...(wanted.uid === undefined ? [] : [{ verb, group, resource: 'uids', name: wanted.uid } as const]),
    ...Object.entries(wanted.extra).flatMap(([subresource, values]) =>
      values.map((name): ResourceAttributes => ({ verb, group, resource: 'userextras', subresource, name })),
    ),
  ];
}

/** The headers that make a request that person's; who really sends it stays in the extras. */
export function impersonationHeaders(person: Person, caller: Caller): Record<string, readonly string[]> {
  const extra = { ...person.extra, ...extraOf(caller) };
  return {
    'impersonate-user': [person.user],
    ...(person.groups.length > 0 && { 'impersonate-group': person.groups }),
    ...(person.uid !== undefined && { 'impersonate-uid': [person.uid] }),
    ...Object.fromEntries(Object.entries(extra).map(([key, values]) => [`${extraPrefix}${encodeURIComponent(key)}`, values])),
  };
}

function extraOf({ username, token }: Caller): Record<string, readonly string[]> {
  // Headers hold no other characters.
  const plain = username.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character));
  return { 'rfo.io/username': [plain], 'rfo.io/token-id': [token.id] };
}

function extraKey(name: string): string {
  try {
    return decodeURIComponent(name.slice(extraPrefix.length)).toLowerCase();
  } catch {
    throw invalid(`${name} is not percent-encoded properly`);
  }
}

function invalid(problem: string): Error {
  return fail('impersonation-invalid', { problem });
}
