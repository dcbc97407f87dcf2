/**
 * How the address is put on an interface and announced, as input of ip(8); nothing is run here (docs/decisions/0009-virtual-ip.md).
 *
 * The address is a /32 whose far end is the IPv4 dummy address, which no host has (RFC 7600). When the kernel is told to probe that
 * far end at the broadcast address of the link, it asks everybody for it by ARP and names the virtual IP as the asker: every neighbour that knows the address
 * takes the new hardware address from that (RFC 826). No raw socket, no further tool, and no packet filter sees it.
 */
export type VipAddress = { readonly ip: string; readonly iface: string };

const farEnd = '192.0.0.8';
const everybody = 'ff:ff:ff:ff:ff:ff';

/** Adds the address or prolongs it. After that many seconds the kernel removes it by itself; none of the host's connections begins from it. */
export function renderHold({ ip, iface }: VipAddress, seconds: number): readonly string[] {
  return ['address', 'replace', ip, 'peer', `${farEnd}/32`, 'dev', iface, 'valid_lft', String(seconds), 'preferred_lft', '0'];
}

export function renderDrop({ ip, iface }: VipAddress): readonly string[] {
  return ['address', 'delete', ip, 'peer', `${farEnd}/32`, 'dev', iface];
}

/** For `ip -batch -`. The kernel itself repeats the question after one second and after two. A probe that still runs would be left as it is: it is ended first. */
export function renderAnnouncement({ iface }: VipAddress): string {
  const probe = (state: string): string => `neighbour replace ${farEnd} lladdr ${everybody} dev ${iface} nud ${state}\n`;
  return probe('stale') + probe('probe');
}

/** What an interrupted rfo left for the next one and for the clean-up: one line, which rfo-killall.sh reads too. */
export function renderRecord({ ip, iface }: VipAddress): string {
  return `${JSON.stringify({ address: ip, interface: iface })}\n`;
}

export function parseRecord(text: string): VipAddress | undefined {
  const { address, interface: iface } = JSON.parse(text) as { address?: unknown; interface?: unknown };
  return typeof address === 'string' && typeof iface === 'string' ? { ip: address, iface } : undefined;
}

type Link = {
  readonly ifname?: string;
  readonly addr_info?: readonly { readonly local?: string; readonly address?: string }[];
};

/**
 * Where the address stands that is not ours to move: as the host's own.
 * @param json output of `ip -j -4 address show`
 */
export function foreignHolder(json: string, ip: string): string | undefined {
  return parseLinks(json).find(({ addr_info = [] }) => addr_info.some(({ local, address }) => local === ip && address !== farEnd))?.ifname;
}

/** Whether the address is set as we set it; `json` as above. */
export function isSet(json: string, { ip, iface }: VipAddress): boolean {
  const links = parseLinks(json).filter(({ ifname }) => ifname === iface);
  return links.some(({ addr_info = [] }) => addr_info.some(({ local, address }) => local === ip && address === farEnd));
}

function parseLinks(json: string): readonly Link[] {
  return json.trim() === '' ? [] : JSON.parse(json);
}
