/** What a node remembers of its cluster, so that it starts while no server answers. */
import { fail, readFileIfExists, writeFileIfChanged } from '@rfo/foundation';
import * as z from 'zod/mini';
import { CertificateStore } from '../certificates/store.ts';
import type { Paths } from '../paths.ts';
import { type JoinConfig, parseJoinConfig } from '../supervisor/api.ts';
import { hostAndPort, parseServerAddress, renderServerAddress, type ServerAddress } from './server-address.ts';

/** In RKE2's names: `url` is the server that was joined through, `addresses` are all that are known. */
export type KnownServers = { readonly url: ServerAddress; readonly addresses: readonly ServerAddress[] };

const serversFile = z.object({ ServerURL: z.string(), ServerAddresses: z.array(z.string()) });

/**
 * The settings that a server gave last; undefined on a node that has not joined yet.
 * @throws join-state-unreadable
 */
export function readJoinConfig(paths: Paths): Promise<JoinConfig | undefined> {
  return readState(paths.agent.joinState, parseJoinConfig);
}

/** Keeps the settings. The time in them is not kept: it would be a change at each start. */
export async function writeJoinConfig(paths: Paths, { settings, versions }: JoinConfig): Promise<void> {
  await writeFileIfChanged(paths.agent.joinState, `${JSON.stringify({ settings, versions, time: 0 }, undefined, 2)}\n`, 0o600);
}

/**
 * The servers that were known last.
 * @throws join-state-unreadable
 */
export function readKnownServers(paths: Paths): Promise<KnownServers | undefined> {
  return readState(paths.agent.knownServers, (value) => {
    const { ServerURL, ServerAddresses } = z.parse(serversFile, value);
    return { url: parseServerAddress(ServerURL), addresses: ServerAddresses.map(parseServerAddress) };
  });
}

/** Keeps them; tells whether they changed. */
export function writeKnownServers(paths: Paths, { url, addresses }: KnownServers): Promise<boolean> {
  const content = { ServerURL: renderServerAddress(url), ServerAddresses: addresses.map(hostAndPort) };
  return writeFileIfChanged(paths.agent.knownServers, `${JSON.stringify(content, undefined, 2)}\n`, 0o600);
}

/** PEM of the CA that this node trusts since it joined; undefined where it has not. */
export function readKnownAuthority(paths: Paths): string | undefined {
  return new CertificateStore(paths.agent.tls).read('server-ca').certificate;
}

/** `undefined` where there is no file; one that is damaged is told by its name. */
async function readState<T>(file: string, parse: (value: unknown) => T): Promise<T | undefined> {
  const unreadable = (problem: string, cause: unknown): Error => fail('join-state-unreadable', { file, problem }, cause);
  let text: string | undefined;
  try {
    text = await readFileIfExists(file);
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error), error);
  }
  if (text === undefined) return undefined;
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(error instanceof SyntaxError ? 'it is not JSON' : 'it does not hold what it should', error);
  }
}
