/** Names of hosts on the seed server: a name, a serial number, or a hardware address, which is written in many ways. Pure. */

/**
 * The folder of a host, undefined for what can be no name. A hardware address becomes `52-54-00-12-34-56`, whether it came with colons, without
 * anything, or as PXE writes it with `01-` in front.
 */
export function seedFolder(text: string): string | undefined {
  const name = text.toLowerCase();
  const mac = macOf(name);
  if (mac !== undefined) return mac;
  // Never a dot in front: neither `..` nor a hidden folder.
  return /^[a-z0-9][a-z0-9._-]{0,127}$/.test(name) ? name : undefined;
}

/** The hardware address that a name is, undefined for other names. */
export function macOf(name: string): string | undefined {
  const [, separated, plain] = /^(?:01-)?(?:([0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})|([0-9a-f]{12}))$/.exec(name.toLowerCase()) ?? [];
  const digits = (separated ?? plain)?.replaceAll(/[:-]/g, '');
  return digits?.match(/../g)?.join('-');
}

/**
 * The hardware address of a neighbour.
 * @param table text of /proc/net/arp, proc(5)
 */
export function neighbourMac(table: string, address: string): string | undefined {
  for (const line of table.split('\n').slice(1)) {
    const [ip, , flags, mac = ''] = line.trim().split(/\s+/);
    // 2: complete.
    if (ip === address && (Number(flags) & 2) !== 0) return macOf(mac);
  }
  return undefined;
}
