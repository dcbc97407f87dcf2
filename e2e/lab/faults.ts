/** The faults between hosts of a lab: what there is at the moment, and the rules of the switch that make it so. */

/** What happens to every frame of a host, in each direction by itself. */
export type Slowness = {
  /** Milliseconds. */
  readonly delayMs?: number;
  /** Up to so many milliseconds more, at random; frames never overtake each other. */
  readonly jitterMs?: number;
  readonly lossPercent?: number;
};

export type Faults = {
  /** Directions in which nothing gets through. */
  readonly cuts: readonly { readonly from: string; readonly to: string }[];
  /** Hosts that reach nobody and that nobody reaches. */
  readonly isolated: readonly string[];
  readonly slow: Readonly<Record<string, Slowness>>;
};

export const noFaults: Faults = { cuts: [], isolated: [], slow: {} };

export function withCut(faults: Faults, cut: { readonly from: string; readonly to: string; readonly oneWay: boolean }): Faults {
  const { from, to, oneWay } = cut;
  const wanted = oneWay
    ? [{ from, to }]
    : [
        { from, to },
        { from: to, to: from },
      ];
  const added = wanted.filter((one) => !faults.cuts.some((other) => other.from === one.from && other.to === one.to));
  return { ...faults, cuts: [...faults.cuts, ...added] };
}

export function withIsolated(faults: Faults, name: string): Faults {
  return faults.isolated.includes(name) ? faults : { ...faults, isolated: [...faults.isolated, name] };
}

export function withSlow(faults: Faults, name: string, slowness: Slowness): Faults {
  return { ...faults, slow: { ...faults.slow, [name]: slowness } };
}

/** The host is gone, and so is everything about it. */
export function withoutHost({ cuts, isolated, slow }: Faults, name: string): Faults {
  return {
    cuts: cuts.filter(({ from, to }) => from !== name && to !== name),
    isolated: isolated.filter((other) => other !== name),
    slow: Object.fromEntries(Object.entries(slow).filter(([other]) => other !== name)),
  };
}

/** The port of the switch that a host's cable ends in, and the two ends of the wire that is put between them for a delay. */
export function portsOf(name: string): { readonly port: string; readonly far: string; readonly near: string } {
  return { port: `v-${name}`, far: `x-${name}`, near: `y-${name}` };
}

/** Names of network interfaces have 15 characters at most, and two of ours are the prefix. */
export const hostName: RegExp = /^[a-z0-9]([a-z0-9-]{0,11}[a-z0-9])?$/;

/**
 * The rules of the switch for `nft -f`, put in the place of all earlier ones at once. A delay is no rule: it is the wire's.
 * The switch's own address is not forwarded to, so what the test itself asks of a host over the network still arrives.
 */
export function renderFaults({ cuts, isolated, slow }: Faults): string {
  const from = (name: string): string => `iifname ${setOf(name)}`;
  const to = (name: string): string => `oifname ${setOf(name)}`;
  const rules = [
    ...cuts.map((cut) => `${from(cut.from)} ${to(cut.to)} drop`),
    ...isolated.flatMap((name) => [`${from(name)} drop`, `${to(name)} drop`]),
    ...Object.entries(slow).flatMap(([name, { lossPercent = 0 }]) =>
      lossPercent === 0
        ? []
        : [from(name), to(name)].map((match) => `${match} numgen random mod 10000 < ${Math.round(lossPercent * 100)} drop`),
    ),
  ];
  // Declared before it is deleted, because deleting what is not there is an error.
  const none = ['table bridge faults', 'delete table bridge faults', ''];
  if (rules.length === 0) return none.join('\n');
  return [
    ...none.slice(0, 2),
    'table bridge faults {',
    '  chain forward {',
    '    type filter hook forward priority 0; policy accept;',
    ...rules.map((rule) => `    ${rule}`),
    '  }',
    '}',
    '',
  ].join('\n');
}

/** A host without a wire is behind its port, one with a wire behind the wire's far end. */
function setOf(name: string): string {
  const { port, far } = portsOf(name);
  return `{ "${port}", "${far}" }`;
}

/** Rules inside a host that drop what would open a TCP connection to it from outside, for `nft -f`; other traffic passes. */
export function renderInboundBlock(ports: readonly number[] | 'all' | 'none'): string {
  const none = ['table inet lab_inbound', 'delete table inet lab_inbound'];
  if (ports === 'none') return [...none, ''].join('\n');
  const match = ports === 'all' ? '' : `tcp dport { ${ports.join(', ')} } `;
  return [
    ...none,
    'table inet lab_inbound {',
    '  chain input {',
    // Before connection tracking, so that no state of it matters.
    '    type filter hook input priority -310; policy accept;',
    `    iifname "eth0" ${match}tcp flags & (fin | syn | rst | ack) == syn drop`,
    '  }',
    '}',
    '',
  ].join('\n');
}
