/** A client that writes without pause while servers fail: nothing that was acknowledged may be lost, and it must soon be served again. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Host, Service } from '../lab/index.ts';
import { bounded, dataDir, type Node } from './node.ts';
import { namespace } from './objects.ts';
import { toolCommand } from './tools.ts';

/** Times in milliseconds since 1970. */
export type Ack = { readonly number: number; readonly begun: number; readonly at: number };

export type AckedWrites = {
  readonly acknowledged: () => readonly Ack[];
  /** What went wrong, a line for each write that was not acknowledged. */
  readonly failures: () => readonly string[];
  /** The longest time (ms) without an acknowledgement, from a moment to another or to now; times at both ends count. */
  readonly longestGap: (from: number, to?: number) => number;
  /** Waits for the acknowledgement of a write that was begun after this call. */
  readonly untilNext: () => Promise<void>;
  /** No more writes; waits for those under way. */
  readonly stop: () => Promise<void>;
};

/**
 * @param client a host of the lab that is no server, so that it lives on whatever is done to them
 * @param options.servers asked in this order; all must have been ready
 */
export async function startAckedWrites(
  client: Host,
  options: { readonly servers: readonly Node[]; readonly signal: AbortSignal; readonly perSecond?: number },
): Promise<AckedWrites> {
  const { servers, signal, perSecond = 200 } = options;
  const [first] = servers;
  assert.ok(first, 'a client needs a server');
  await first.apply(namespace('acked'));
  const credentials = '/run/acked-writes';
  for (const file of ['server-ca.crt', 'client-admin.crt', 'client-admin.key'])
    await client.writeFile(join(credentials, file), await first.host.readFile(`${dataDir}/server/tls/${file}`), '0600');
  const addresses = servers.map(({ host }) => host.ip);
  const service = await client.spawn('acked-writes', [...toolCommand('acked-writes'), credentials, String(perSecond), ...addresses]);
  const writes = followWrites(service, signal);
  await writes.untilNext();
  return writes;
}

function followWrites(service: Service, signal: AbortSignal): AckedWrites {
  const acknowledged: Ack[] = [];
  const failures: string[] = [];
  const waiting = new Set<{ readonly since: number; readonly resolve: () => void }>();
  const hear = (line: string): void => {
    const [kind, number, begun, at] = line.split(' ');
    if (kind !== 'ack') {
      failures.push(line);
      return;
    }
    const ack = { number: Number(number), begun: Number(begun), at: Number(at) };
    acknowledged.push(ack);
    for (const one of waiting) if (ack.begun > one.since && waiting.delete(one)) one.resolve();
  };
  const follow = async (): Promise<void> => {
    for await (const line of service.lines(signal)) hear(line);
  };
  const followed = follow();
  // It ends with the service or the scenario; whoever waits for a write then is told by `bounded`.
  followed.catch(() => undefined);
  return {
    acknowledged: () => acknowledged,
    failures: () => failures,
    longestGap: (from, to = Date.now()) =>
      longestGap(
        acknowledged.map(({ at }) => at),
        { from, to },
      ),
    untilNext: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add({ since: Date.now(), resolve });
      const told = (error: unknown): never => {
        throw new Error(`the last failures: ${failures.slice(-3).join('\n')}`, { cause: error });
      };
      await bounded(promise, { signal, what: 'an acknowledged write', within: 120_000 }).catch(told);
    },
    stop: async () => {
      service.signal('SIGTERM');
      await bounded(service.exited, { signal, what: 'the end of the writer', within: 30_000 });
      await followed;
    },
  };
}

/** The longest part of a period in which none of the moments lies. */
export function longestGap(moments: readonly number[], { from, to }: { readonly from: number; readonly to: number }): number {
  const inside = moments.filter((moment) => moment > from && moment < to).sort((one, other) => one - other);
  const ends = [from, ...inside, to];
  return ends.reduce((longest, moment, index) => Math.max(longest, moment - (ends[index - 1] ?? moment)), 0);
}

/** Every acknowledged write can be read, with its content. */
export async function assertNoneLost(node: Node, writes: AckedWrites): Promise<void> {
  const format = '-o=jsonpath={range .items[*]}{.metadata.name}={.data.number}{"\\n"}{end}';
  const answer = await node.kubectl(['-n', 'acked', 'get', 'configmaps', '--chunk-size=2000', format], { timeout: 120_000 });
  const stored = new Set(answer.split('\n'));
  const acknowledged = writes.acknowledged();
  assert.ok(acknowledged.length > 0, 'nothing was acknowledged');
  const lost = acknowledged.filter(({ number }) => !stored.has(`write-${number}=${number}`));
  assert.deepEqual(lost, [], `${lost.length} of ${acknowledged.length} acknowledged writes are lost`);
}
