/** What `watch-address.test.ts` runs in a network namespace of its own: an address goes, comes back, and is another one. Each step waits for what it is told. */
import { execFileSync } from 'node:child_process';
import { createLog, Life, type Log } from '@rfo/foundation';
import { lookForAddress } from './facts.ts';
import type { AddressWish } from './node-address.ts';
import { untilMoved, whenAddressed } from './watch-address.ts';

const ip = (...args: string[]): void => void execFileSync('ip', args);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Prints what is said, and lets one wait for the next such line. */
function hearing(): { readonly log: Log; readonly next: (text: string) => Promise<void> } {
  const waiting = new Map<string, () => void>();
  const write = (line: string): void => {
    const [, level = '', message = ''] = /^\S+ (\w+) +rfo: (.*?)(?: address=\S+)?\n$/.exec(line) ?? [];
    print(`${level} ${message}`);
    for (const [text, resolve] of waiting) if (message.includes(text)) resolve();
  };
  return { log: createLog({ write }), next: (text) => new Promise((resolve) => waiting.set(text, resolve)) };
}

ip('link', 'add', 'eth0', 'type', 'bridge');
ip('link', 'add', 'eth1', 'type', 'bridge');
for (const iface of ['lo', 'eth0', 'eth1']) ip('link', 'set', iface, 'up');
ip('addr', 'add', '192.0.2.11/24', 'dev', 'eth0');

const { log, next } = hearing();
const { signal } = new AbortController();
const known = { nodeIps: ['192.0.2.11'], iface: 'eth0' } as const;
const started = { nodeIps: ['192.0.2.11'], overlayIp: '192.0.2.11' } as const;

const configured: AddressWish = { wanted: ['192.0.2.11'], known: { ...known, configured: true } };
{
  await using life = new Life();
  void untilMoved({ started, look: () => lookForAddress(configured), life, log });
  const gone = next('is no address of this host any more');
  ip('addr', 'del', '192.0.2.11/24', 'dev', 'eth0');
  ip('addr', 'add', '192.0.2.12/24', 'dev', 'eth0');
  await gone;
  const back = next('has its address again');
  ip('addr', 'add', '192.0.2.11/24', 'dev', 'eth0');
  await back;
}
{
  await using life = new Life();
  ip('addr', 'flush', 'dev', 'eth0');
  const silent = createLog({ write: () => undefined });
  const found = whenAddressed(() => lookForAddress(configured), { life, signal, log: silent });
  ip('addr', 'add', '192.0.2.11/24', 'dev', 'eth0');
  print(`found ${(await found).nodeIp} when it came`);
}
{
  await using life = new Life();
  const free: AddressWish = { wanted: [], known: { ...known, configured: false } };
  const moved = untilMoved({ started, look: () => lookForAddress(free), life, log });
  const gone = next('is gone');
  // Another interface is no place to go by itself.
  ip('addr', 'add', '198.51.100.1/24', 'dev', 'eth1');
  ip('addr', 'del', '192.0.2.11/24', 'dev', 'eth0');
  await gone;
  ip('addr', 'add', '192.0.2.13/24', 'dev', 'eth0');
  print(`moved: ${await moved}`);
}
