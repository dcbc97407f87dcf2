/** Clients of the CA that have it sign without pause, and what they were given. */

import { bounded } from '../../harness/node.ts';
import { toolCommand } from '../../harness/tools.ts';
import type { Host } from '../../lab/index.ts';

export type Given = { readonly serial: string; readonly fingerprint: string };

export type Load = {
  /** Certificates that clients have, in the order of their arrival. */
  readonly given: () => readonly Given[];
  /** What the last refusals said. */
  readonly failures: () => readonly string[];
  /** Waits until some more were handed out, of requests that were made after this call. */
  readonly untilMore: () => Promise<void>;
  /** Waits for the next refusal that the pattern fits. */
  readonly untilRefused: (pattern: RegExp) => Promise<string>;
  readonly stop: () => Promise<void>;
};

export type LoadWish = {
  readonly url: string;
  readonly caFile: string;
  readonly key: string;
  readonly connections: number;
  readonly requestFile: string;
};

/** @throws timeout of whoever waits, with what was said last */
export async function startLoad(host: Host, wish: LoadWish, signal: AbortSignal): Promise<Load> {
  const { url, caFile, key, connections, requestFile } = wish;
  const service = await host.spawn('ca-load', [...toolCommand('ca-load'), url, caFile, key, String(connections), requestFile]);
  const given: Given[] = [];
  const failures: string[] = [];
  const watchers = new Set<(line: string) => void>();
  const follow = async (): Promise<void> => {
    for await (const line of service.lines(signal)) {
      const [kind, serial = '', fingerprint = ''] = line.split(' ');
      if (kind === 'ack') given.push({ serial, fingerprint });
      else failures.push(line);
      for (const watcher of watchers) watcher(line);
    }
  };
  const followed = follow();
  // It ends with the service or the scenario; whoever waits then is told by `bounded`.
  followed.catch(() => undefined);

  const until = async (what: string, judge: (line: string) => boolean): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const watcher = (line: string): void => {
      if (judge(line)) resolve(line);
    };
    watchers.add(watcher);
    try {
      return await bounded(promise, { signal, what: `${what} (said last: ${failures.at(-1) ?? 'nothing'})`, within: 120_000 });
    } finally {
      watchers.delete(watcher);
    }
  };
  return {
    given: () => given,
    failures: () => failures,
    untilMore: async () => {
      // One answer of each connection may have been on its way already.
      let more = connections + 1;
      await until('certificates that are handed out', (line) => line.startsWith('ack ') && --more === 0);
    },
    untilRefused: (pattern) => until('a refusal', (line) => line.startsWith('fail ') && pattern.test(line)),
    stop: async () => {
      service.signal('SIGTERM');
      await bounded(service.exited, { signal, what: 'the end of the load', within: 60_000 });
      await followed;
    },
  };
}
