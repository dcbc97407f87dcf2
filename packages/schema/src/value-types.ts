// The kinds of values that options take. Each tells what is wrong with a value in words that stand after the option's name.
import { resolve } from 'node:path';
import * as z from 'zod/mini';
import type { Flaw } from './declaration.ts';
import { formatRange, parseAddress, parseRange } from './ipv4.ts';
import { judgeLabel, judgeTaint } from './node-labels.ts';

/** A text that a function judges. */
function textType(judge: (text: string) => Flaw | undefined) {
  return z.string().check(judged(judge));
}

/** Any text that is not empty. */
export const text = () => textType(() => undefined);

/** A text of one form. */
export const textLike = (form: RegExp, what: string, example: string) =>
  textType((given) => (form.test(given) ? undefined : { problem: `${quote(given)} is not ${what}`, cure: `Write it like ${example}` }));

export const choice = <const T extends readonly string[]>(choices: T) => z.enum(choices);

/** A number within limits, both included. */
export function numberType(limits: { readonly min: number; readonly max: number; readonly whole: boolean }) {
  const { min, max, whole } = limits;
  return z
    .number()
    .check(
      judged((given: number) =>
        given >= min && given <= max && (!whole || Number.isInteger(given))
          ? undefined
          : { problem: `${given} is not a ${whole ? 'whole ' : ''}number from ${min} to ${max}`, cure: 'Give one that is' },
      ),
    );
}

export const port = () => numberType({ min: 1, max: 65535, whole: true });

export const absolutePath = () =>
  textType((given) =>
    given.startsWith('/') ? undefined : { problem: `${quote(given)} is not an absolute path`, cure: 'Begin it with "/"' },
  );

/** A path that is taken from the folder which the program was started in; becomes absolute. */
export const anyPath = () =>
  z.pipe(
    text(),
    z.transform((given: string) => resolve(given)),
  );

/** A length of time; becomes milliseconds. */
export const duration = () =>
  z.pipe(
    textLike(/^(0|(\d{1,6}[dhms])+)$/, 'a length of time', '90m, 24h or 7d12h'),
    z.transform((given: string) => {
      const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 };
      const parts = given.matchAll(/(\d+)([dhms])/g);
      return [...parts].reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0);
    }),
  );

/** Permissions of a file in octal; becomes a number. */
export const fileMode = () =>
  z.pipe(
    textLike(/^0?[0-7]{3}$/, 'a file mode', '0600'),
    z.transform((given: string) => Number.parseInt(given, 8)),
  );

export const ipv4Address = () =>
  textType((given) => {
    if (parseAddress(given) !== undefined) return undefined;
    return (
      ipv6Flaw(given, 'Give an IPv4 address') ?? { problem: `${quote(given)} is not an IPv4 address`, cure: 'Write it like 192.0.2.10' }
    );
  });

/** An IPv4 range with at least as many addresses as the prefix leaves. */
export const ipv4Range = (limits: { readonly maxPrefix: number }) =>
  textType((given) => {
    if (given.includes(',')) return { problem: 'more than one range is not supported yet', cure: 'Give one IPv4 range' };
    const range = parseRange(given);
    if (range === undefined) {
      return (
        ipv6Flaw(given, 'Give an IPv4 range') ?? { problem: `${quote(given)} is not an IPv4 range`, cure: 'Write it like 10.42.0.0/16' }
      );
    }
    if (formatRange(range) !== given)
      return { problem: `${quote(given)} is an address within a range`, cure: `Write ${formatRange(range)}` };
    if (range.prefix > limits.maxPrefix) return { problem: `${given} is too small`, cure: `Give a /${limits.maxPrefix} or larger` };
    return undefined;
  });

export const portRange = () =>
  textType((given) => {
    const [, low = 0, high = 0] = (/^(\d{1,5})-(\d{1,5})$/.exec(given) ?? []).map(Number);
    if (low >= 1 && high >= low && high <= 65535) return undefined;
    return { problem: `${quote(given)} is not a range of ports`, cure: 'Write it like 30000-32767' };
  });

const dnsLabel = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const dnsName = new RegExp(`^(?=.{1,253}$)${dnsLabel}(\\.${dnsLabel})*$`);
/** Letters, digits, hyphens and dots as Kubernetes names its nodes and domains. */
export const domainName = (what: string, example: string) => textLike(dnsName, what, example);

/** What a client may call a server by: a host name, also with a wildcard, or an address of either family. */
export const hostOrAddress = () =>
  textType((given) => {
    const name = given.toLowerCase().replace(/^\*\./, '');
    const numeric = /^[\d.]+$/.test(given);
    if (numeric ? parseAddress(given) !== undefined : isIpv6(given) || dnsName.test(name)) return undefined;
    return { problem: `${quote(given)} is neither a host name nor an IP address`, cure: 'Write it like api.example.com or 192.0.2.10' };
  });

/** Where a server's supervisor listens: `https://host:9345`; scheme and port may be left out. */
export const serverAddress = () =>
  textType((given) => {
    const url = /^https?:\/\//.test(given) ? given : `https://${given}`;
    const cure = 'Write it like https://server-1.example.com:9345';
    if (!URL.canParse(url)) return { problem: `${quote(given)} is not the address of a server`, cure };
    const { protocol, pathname, search, username, hostname } = new URL(url);
    if (protocol !== 'https:') return { problem: `${quote(given)} is not https`, cure };
    const plain = pathname === '/' && search === '' && username === '' && hostname !== '';
    return plain ? undefined : { problem: `${quote(given)} holds more than a host and a port`, cure };
  });

/** Where a manager is reached: no path, which people and agents add by themselves. */
export const httpsAddress = () =>
  textLike(
    /^https:\/\/([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(:\d{1,5})?\/?$/i,
    'an https address without a path',
    'https://rfo.example.com',
  );

/** An argument for a component: `name=value`, or a bare name. */
export const componentArgument = () => textLike(/^(--?)?[A-Za-z][\w.-]*(=.*)?$/s, 'an argument', 'v=2');

export const nodeLabel = () => textType(judgeLabel);
export const nodeTaint = () => textType(judgeTaint);

function judged<T extends string | number>(judge: (value: T) => Flaw | undefined) {
  return z.check<T>(({ value, issues }) => {
    const flaw = value === '' ? { problem: 'it has no value', cure: 'Give one, or leave it out' } : judge(value);
    if (flaw !== undefined) issues.push({ code: 'custom', input: value, message: flaw.problem, params: { cure: flaw.cure } });
  });
}

function isIpv6(given: string): boolean {
  return given.includes(':') && URL.canParse(`http://[${given}]`);
}

function ipv6Flaw(given: string, cure: string): Flaw | undefined {
  return isIpv6(given.split(/[/,]/, 1)[0] ?? '') ? { problem: `IPv6 is not supported yet (${quote(given)})`, cure } : undefined;
}

function quote(given: string): string {
  return JSON.stringify(given);
}
