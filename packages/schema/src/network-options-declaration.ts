// The declaration that `rfo network` renders from: how the nodes of a cluster announce themselves by BGP, what of it, and which addresses
// Services of type LoadBalancer get. Keys are spelled as Kubernetes spells them, as the file stands beside its manifests.
import { isIP, isIPv4 } from 'node:net';
import * as z from 'zod/mini';
import type { Flaw } from './declaration.ts';
import { formatRange, parseRange } from './ipv4.ts';
import { choice, domainName, hostOrAddress, numberType, port, text } from './value-types.ts';

/** How Services are announced unless told otherwise: by all of their addresses. */
const serviceAddresses = ['ClusterIP', 'ExternalIP', 'LoadBalancerIP'] as const;
/** Well-known communities that Cilium takes by name (RFC 1997, 3765, 7999 and others). */
const wellKnownCommunities = [
  ...['internet', 'planned-shut', 'accept-own', 'route-filter-translated-v4', 'route-filter-v4', 'route-filter-translated-v6'],
  ...['route-filter-v6', 'llgr-stale', 'no-llgr', 'blackhole', 'no-export', 'no-advertise', 'no-export-subconfed', 'no-peer'],
];

const whole = (min: number, max: number) => numberType({ min, max, whole: true });
const asn = () => whole(1, 4_294_967_295);
const objectName = () => domainName('a name as Kubernetes has it', 'router-1');
const ipAddress = () => judged((given) => (isIP(given) > 0 ? undefined : 'is not an IP address'), 'Write it like 192.0.2.1 or 2001:db8::1');
const ipv4 = () => judged((given) => (isIPv4(given) ? undefined : 'is not an IPv4 address'), 'Write it like 192.0.2.21');

const labels = z.record(z.string(), z.string());
const selector = z.strictObject({
  matchLabels: z.optional(labels),
  matchExpressions: z.optional(
    z.array(
      z.strictObject({
        key: text(),
        operator: choice(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.optional(z.array(z.string())),
      }),
    ),
  ),
});

const attributes = {
  communities: z.optional(
    z.array(
      judged(
        (given) => (kindOfCommunity(given) === undefined ? 'is no community' : undefined),
        'Write it like 65000:99, 65000:1:2 or no-export',
      ),
    ),
  ),
  localPreference: z.optional(whole(0, 4_294_967_295)),
};

const peer = z.strictObject({
  name: objectName(),
  /** Absent: whatever the router says. */
  asn: z.optional(asn()),
  address: z.optional(ipAddress()),
  /** The router that the default route of a node leads to. */
  defaultGateway: z.optional(choice(['ipv4', 'ipv6'])),
  port: z._default(port(), 179),
  timers: z.optional(
    z.strictObject({
      connectRetrySeconds: z._default(whole(1, 2_147_483_647), 120),
      holdSeconds: z._default(whole(3, 65_535), 90),
      keepAliveSeconds: z.optional(whole(1, 65_535)),
    }),
  ),
  /** A Secret in kube-system whose key `password` is the TCP MD5 password. */
  passwordSecret: z.optional(objectName()),
  multihop: z.optional(whole(1, 255)),
  gracefulRestart: switchable({ restartSeconds: z._default(whole(1, 4095), 120) }),
  families: z.optional(z.array(choice(['ipv4', 'ipv6'])).check(z.minLength(1))),
});

const block = () =>
  judged(
    (given) => (readBlock(given) === undefined ? 'is no range of addresses' : undefined),
    'Write it like 192.0.2.0/24 or 192.0.2.10-192.0.2.50',
  );

export const networkDeclaration = z.strictObject({
  cluster: z.optional(
    z.strictObject({
      name: z._default(
        judged(
          (given) => (/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(given) ? undefined : 'is no name of a cluster'),
          'Give up to 32 of a-z, 0-9 and -',
        ),
        'default',
      ),
      apiServer: z.optional(hostOrAddress()),
      apiPort: z._default(port(), 6443),
      podCIDR: z.optional(cidr()),
      podMaskSize: z.optional(whole(8, 128)),
    }),
  ),
  bgp: z.optional(
    z.strictObject({
      name: z._default(objectName(), 'cilium-bgp'),
      localASN: asn(),
      /** Absent: nodes only dial. */
      localPort: z.optional(port()),
      /** Absent: all nodes. */
      nodeSelector: z.optional(selector),
      peers: z.array(peer).check(z.minLength(1)),
      advertise: z._default(
        z.strictObject({
          podCIDR: switchable(attributes),
          services: switchable({
            addresses: z._default(z.array(choice(serviceAddresses)).check(z.minLength(1)), [...serviceAddresses]),
            /** Absent: all Services. */
            selector: z.optional(selector),
            ...attributes,
          }),
        }),
        { podCIDR: {}, services: { addresses: [...serviceAddresses] } },
      ),
      nodes: z.optional(
        z.record(
          z.string(),
          z.strictObject({
            routerID: z.optional(ipv4()),
            localPort: z.optional(port()),
            localAddresses: z.optional(z.record(z.string(), ipAddress())),
          }),
        ),
      ),
    }),
  ),
  loadBalancerPools: z._default(
    z.array(
      z.strictObject({
        name: objectName(),
        blocks: z.array(block()).check(z.minLength(1)),
        serviceSelector: z.optional(selector),
        allowFirstLastIPs: z.optional(z.boolean()),
        disabled: z._default(z.boolean(), false),
      }),
    ),
    [],
  ),
});
export type NetworkDeclaration = z.output<typeof networkDeclaration>;
export type Bgp = NonNullable<NetworkDeclaration['bgp']>;
export type BgpPeer = Bgp['peers'][number];
export type BgpAttributes = { readonly communities?: readonly string[] | undefined; readonly localPreference?: number | undefined };

/** Which list of Cilium's a community belongs to; undefined for what is none. Sources: RFC 1997 (32 bits), RFC 8092 (three times 32). */
export function kindOfCommunity(given: string): 'standard' | 'large' | 'wellKnown' | undefined {
  if (wellKnownCommunities.includes(given)) return 'wellKnown';
  if (!/^\d{1,10}(:\d{1,10}){0,2}$/.test(given)) return undefined;
  const parts = given.split(':').map(Number);
  const fits = (most: number): boolean => parts.every((part) => part <= most);
  if (parts.length === 2) return fits(65_535) ? 'standard' : undefined;
  return fits(4_294_967_295) ? (parts.length === 1 ? 'standard' : 'large') : undefined;
}

/** A block of addresses: a range in CIDR notation, its first and last address, or one address. */
export function readBlock(given: string): { readonly cidr: string } | { readonly start: string; readonly stop?: string } | undefined {
  const [start = '', stop, ...more] = given.split('-').map((part) => part.trim());
  if (more.length > 0) return undefined;
  if (stop === undefined) return isIP(start) > 0 ? { start } : isRange(start) ? { cidr: start } : undefined;
  return isIP(start) > 0 && isIP(start) === isIP(stop) ? { start, stop } : undefined;
}

function isRange(given: string): boolean {
  const [address = '', prefix = '', ...more] = given.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return more.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
}

/** `true` for the usual, `false` for nothing, or what is to be different. */
function switchable<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.optional(
    z.pipe(
      z.transform((given: unknown) => (given === true || given === null ? {} : given === false ? undefined : given)),
      z.optional(z.strictObject(shape)),
    ),
  );
}

function cidr() {
  return z.string().check(
    z.check<string>(({ value, issues }) => {
      const range = parseRange(value);
      const proper = range === undefined ? isRange(value) && value.includes(':') : formatRange(range) === value;
      const cure = range === undefined ? 'Write it like 10.42.0.0/16' : `Write ${formatRange(range)}`;
      if (!proper)
        issues.push({ code: 'custom', input: value, message: `${JSON.stringify(value)} is not a range of addresses`, params: { cure } });
    }),
  );
}

function judged(judge: (given: string) => string | undefined, cure: string) {
  return z.string().check(
    z.check<string>(({ value, issues }) => {
      const problem = judge(value);
      if (problem !== undefined)
        issues.push({
          code: 'custom',
          input: value,
          message: `${JSON.stringify(value)} ${problem}`,
          params: { cure } satisfies Partial<Flaw>,
        });
    }),
  );
}
