/** Has another CA of the CFSSL API sign: what profiles with `remote` and `auth_remote` ask for. */
import { createHmac } from 'node:crypto';
import type { Clock } from '@rfo/foundation';
import { GoJsonError } from '../api/go-json.ts';
import { type GoOf, goPointer, goSlice, goString, goStruct, readGo } from '../api/go-types.ts';
import { CfsslError } from '../cfssl-error.ts';
import { findProfile } from '../config/find-profile.ts';
import type { Profile, SigningConfig } from '../config/types.ts';
import type { Compat } from './compat.ts';
import { type PostTls, postJson } from './post-json.ts';
import { parseRemote } from './remote-address.ts';
import type { SignRequest } from './types.ts';

export type RemoteOptions = {
  readonly config: SigningConfig;
  readonly compat: Compat;
  readonly clock: Clock;
  readonly tls?: PostTls;
};

export type RemoteInfo = { readonly certificate: string; readonly usages: readonly string[]; readonly expiry: string };

export type RemoteSigner = {
  /** PEM of the certificate. Throws CfsslError: 5300, 5400, 7200, 7400, 7500; the signal's reason. */
  readonly sign: (request: SignRequest, signal: AbortSignal) => Promise<string>;
  /** What the other CA says of itself; never authenticated. Throws the same. */
  readonly info: (request: { readonly label: string; readonly profile: string }, signal: AbortSignal) => Promise<RemoteInfo>;
};

/**
 * Asks the addresses of the request's profile one after the other, until one answers with a certificate. With a key of its own it goes to
 * `authsign`, without one to `sign`.
 */
export function createRemoteSigner({ config, compat, clock, tls = {} }: RemoteOptions): RemoteSigner {
  const remoteOf = (name: string): NonNullable<Profile['remote']> => {
    const { remote } = findProfile(config, name, compat);
    if (remote === undefined) throw new CfsslError(5300, `failed to connect to remote: the profile ${name || 'default'} names none`);
    return remote;
  };
  return {
    sign: async (request, signal) => {
      const { addresses, authKey } = remoteOf(request.profile);
      const inner = renderRequest(request);
      const body = authKey === undefined ? inner : renderAuthenticated(inner, authKey, clock.now());
      const endpoint = authKey === undefined ? 'sign' : 'authsign';
      const answer = await inTurn(addresses, (address) => ask(address, { endpoint, body, tls, signal }));
      if (answer.certificate === '') throw new CfsslError(7400, "response doesn't contain certificate.");
      return answer.certificate;
    },
    info: async (request, signal) => {
      const { addresses } = remoteOf(request.profile);
      const answer = await inTurn(addresses, (address) => ask(address, { endpoint: 'info', body: JSON.stringify(request), tls, signal }));
      return { ...answer, usages: answer.usages ?? [] };
    },
  };
}

/** The same configuration with every profile signed at that address (`-remote`); keys stay. */
export function overrideRemotes(config: SigningConfig, address: string): SigningConfig {
  const override = (profile: Profile): Profile => ({ ...profile, remote: { ...profile.remote, addresses: address.split(',') } });
  const profiles = [...config.profiles].map(([name, profile]) => [name, override(profile)] as const);
  return { ...config, defaultProfile: override(config.defaultProfile), profiles: new Map(profiles) };
}

/** As cfssl's own client writes it. */
function renderRequest({ hosts, certificateRequest, subject, profile, label, serial }: SignRequest): string {
  const text = JSON.stringify({ hosts, certificate_request: certificateRequest, subject, profile, crl_override: '', label });
  // A serial number has more digits than JSON.stringify can write.
  return serial === undefined ? text : `${text.slice(0, -1)},"serial":${serial}}`;
}

/** The envelope of `authsign`: the HMAC is over the very bytes that it holds. */
function renderAuthenticated(request: string, key: Buffer, now: number): string {
  const token = createHmac('sha256', key).update(request).digest('base64');
  return JSON.stringify({ timestamp: Math.floor(now / 1000), token, request: Buffer.from(request).toString('base64') });
}

type Question = { readonly endpoint: string; readonly body: string; readonly tls: PostTls; readonly signal: AbortSignal };

async function inTurn<T>(addresses: readonly string[], act: (address: string) => Promise<T>): Promise<T> {
  let problem: unknown = new CfsslError(5300, 'failed to connect to remote');
  for (const address of addresses) {
    try {
      return await act(address);
    } catch (error) {
      if (!(error instanceof CfsslError)) throw error;
      problem = error;
    }
  }
  throw problem;
}

const result = goStruct('info.Resp', { certificate: goString, usages: goSlice(goString), expiry: goString });
const envelope = goStruct('api.Response', {
  result: goPointer(result),
  errors: goSlice(goStruct('api.ResponseMessage', { message: goString })),
});

async function ask(address: string, { endpoint, body, tls, signal }: Question): Promise<GoOf<typeof result>> {
  const { status, text } = await postJson(new URL(`/api/v1/cfssl/${endpoint}`, parseRemote(address)), { body, tls, signal });
  if (status !== 200) throw new CfsslError(7400, text.toString('utf8').trimEnd());
  const answer = readAnswer(text);
  if (answer.result !== undefined) return answer.result;
  throw new CfsslError(7500, answer.errors?.[0]?.message ?? 'API client error: Server request failed');
}

function readAnswer(text: Buffer): GoOf<typeof envelope> {
  try {
    return readGo(text, envelope);
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    throw new CfsslError(7200, error.message);
  }
}
