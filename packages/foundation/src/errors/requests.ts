// What a server answers to the requests of others.
import type { ErrorEntry } from './entry.ts';

export const requestErrors = {
  'server-only': {
    text: 'rfo {command} works on servers, and {file} is not on this host',
    cure: 'Run it on a server that has started, or name its data-dir',
    retryable: false,
    exit: 3,
  },
  'node-unknown': { text: 'the cluster has no node "{name}"', cure: '{suggestion}', retryable: false, exit: 2 },
  'join-no-credentials': {
    text: 'this needs credentials and none came',
    cure: 'Give the token that a server keeps in server/node-token of its data-dir, or a new one of: rfo token create',
    retryable: false,
    exit: 2,
  },
  'join-token-wrong': {
    text: 'the token is none of this cluster',
    cure: 'Give the one that a server keeps in server/node-token of its data-dir, or a new one of: rfo token create',
    retryable: false,
    exit: 2,
  },
  'join-token-expired': {
    text: 'the token expired at {at}',
    cure: 'Make a new one on a server: rfo token create',
    retryable: false,
    exit: 2,
  },
  'join-token-used-up': {
    text: 'the token was used as often as it may be',
    cure: 'Make a new one on a server: rfo token create',
    retryable: false,
    exit: 2,
  },
  'join-node-deleted': {
    text: 'the Node {name} was deleted, so its certificate counts no longer',
    cure: 'Join again with a token',
    retryable: false,
    exit: 2,
  },
  'join-forbidden': { text: 'these credentials are not enough for {method} {path}', cure: 'Give {needed}', retryable: false, exit: 2 },
  'join-foreign-name': {
    text: 'the certificate is that of node {own}, and the request is for node {name}',
    cure: 'Join with a token to have another name',
    retryable: false,
    exit: 2,
  },
  'join-name-taken': {
    text: 'another host has joined as node {name}, or this one was installed anew since: its node password is not the one that is known',
    cure: 'Give this host a node-name of its own; if it replaces the other, run on a server: rfo node readopt {name}',
    retryable: false,
    exit: 2,
  },
  'join-name-reserved': {
    text: '{name} is a name or an address of a server, which no certificate of a node may have',
    cure: 'Give this host a node-name and node-ip of its own',
    retryable: false,
    exit: 2,
  },
  'request-invalid': {
    text: 'the request cannot be understood: {problem}',
    cure: 'Check that the versions of both sides fit together',
    retryable: false,
    exit: 1,
  },
  'request-too-large': { text: 'the request is larger than {limit} bytes', cure: 'Send less', retryable: false, exit: 1 },
  'request-too-slow': { text: 'the request did not arrive within {seconds} s', cure: 'Try again', retryable: true, exit: 1 },
  'server-starting': {
    text: 'the control plane is starting',
    cure: 'Try again, or ask another server',
    retryable: true,
    exit: 1,
  },
  'server-overloaded': {
    text: 'too many requests wait at this server',
    cure: 'Try again, or ask another server',
    retryable: true,
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
