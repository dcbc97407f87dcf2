/** `rfo manager login` of somebody who signs in by a browser: it prints an address, and waits. */
import { join } from 'node:path';
import type { Service } from '../../lab/index.ts';
import { bounded, type Node, rfoCommand } from '../node.ts';
import { homeOf, type People } from './people.ts';

export type BrowserLogin = {
  readonly login: Service;
  /** Where the person is to go. */
  readonly address: string;
  /** The file on the host with the CA of the manager. */
  readonly ca: string;
};

/** @param wish.flags of `rfo manager login`, besides those that name the manager */
export async function startBrowserLogin(
  { hub, manager }: { readonly hub: Node; readonly manager: Pick<People, 'address'> },
  { person, flags, signal }: { readonly person: string; readonly flags: readonly string[]; readonly signal: AbortSignal },
): Promise<BrowserLogin> {
  const { host } = hub;
  const ca = join(homeOf(person), 'manager.crt');
  await host.writeFile(ca, await caOf({ hub, manager }));
  const words = ['manager', 'login', manager.address, '--print-url', '--ca-file', ca, ...flags];
  const login = await host.spawn(`login-of-${person}`, [...rfoCommand, ...words], { HOME: homeOf(person) });
  const printed = async (): Promise<string> => {
    for await (const line of login.lines(signal)) {
      const address = /^\s+(https:\S+)$/.exec(line)?.[1];
      if (address !== undefined) return address;
    }
    throw new Error(`rfo manager login ended with exit code ${await login.exited} and named no address`);
  };
  return { login, address: await bounded(printed(), { signal, what: 'the address of rfo manager login', within: 90_000 }), ca };
}

/** The certificate of the CA that the manager made for itself, PEM. */
export async function caOf({ hub, manager }: { readonly hub: Node; readonly manager: Pick<People, 'address'> }): Promise<string> {
  const { ca } = JSON.parse(await hub.host.must(['curl', '-sk', `${manager.address}/api/v1/authority`])) as { readonly ca: string };
  return ca;
}
