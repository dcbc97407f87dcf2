/** What a load balancer knows of its servers, and which one it prefers: decides, and does nothing. */

/** What somebody who watches a server says of it. */
export type Health = 'healthy' | 'suspect' | 'failed';

export type Server = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** As reported last. */
  health: Health | undefined;
  /** It refused or did not accept in time, and nothing good was heard of it since. */
  refused: boolean;
  /** It has accepted a connection since it last refused. */
  accepted: boolean;
};

export function newServer(name: string): Server {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(name) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || !(Number(port) >= 1 && Number(port) <= 65_535)) throw new TypeError(`"${name}" is not host:port`);
  return { name, host, port: Number(port), health: undefined, refused: false, accepted: false };
}

/** In the order of asking, equally good ones together: first the active one, then as they were given. */
export function inOrder(servers: Iterable<Server>, active: Server | undefined): readonly (readonly Server[])[] {
  const sorted = [...servers].sort((a, b) => Number(b === active) - Number(a === active));
  return [0, 1, 2].map((wanted) => sorted.filter((server) => rank(server) === wanted));
}

/** Which server is to be active: the one that is, unless another is better. Those known to be well and those not known yet count the same. */
export function chooseActive(servers: Iterable<Server>, active: Server | undefined): Server | undefined {
  const [best] = inOrder(servers, active).flat();
  if (active === undefined || best === undefined) return best;
  return rank(active) > rank(best) ? best : active;
}

/** Whether its connections are to be closed: it failed, and another is known to be well. */
export function isReplaced(server: Server, servers: Iterable<Server>): boolean {
  if (server.health !== 'failed') return false;
  return [...servers].some((other) => other !== server && isWell(other));
}

export function stateOf(server: Server, active: Server | undefined): string {
  if (server.health === 'failed' || server.refused) return 'failed';
  if (server.health === 'suspect') return 'suspect';
  if (server === active) return 'active';
  return isWell(server) ? 'healthy' : 'unchecked';
}

function isWell({ health, refused, accepted }: Server): boolean {
  return !refused && (health === 'healthy' || (health === undefined && accepted));
}

function rank({ health, refused }: Server): number {
  if (health === 'failed' || refused) return 2;
  return health === 'suspect' ? 1 : 0;
}
