/** Arithmetic on IPv4 ranges. */

/** The range that an address with a prefix length lies in, host bits zero: `10.42.3.1/24` → `10.42.3.0/24`. */
export function networkOf(cidr: string): string {
  const [address = '', length = ''] = cidr.split('/', 2);
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  const network = Math.floor(value / size) * size;
  return `${[24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256).join('.')}/${length}`;
}
