/** Programs of `tools/` inside a host. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { repository, type Service } from '../lab/index.ts';
import type { RateReport } from '../tools/request-rate.ts';
import { bounded, type Node } from './node.ts';

/** The command line of a program of `tools/` on any host. */
export function toolCommand(name: string): readonly string[] {
  const program = join(repository, 'e2e/tools', `${name}.ts`);
  return [join(repository, 'node_modules/.bin/node'), '--disable-warning=ExperimentalWarning', program];
}

/** Starts a program of `tools/` on the node's host. */
function startTool(node: Node, name: string): Promise<Service> {
  return node.host.spawn(name, toolCommand(name));
}

export type Writer = {
  /** Numbers of the writes that the API acknowledged so far. */
  readonly acknowledged: () => readonly number[];
  /** Waits for an acknowledgement of a write that was begun after this call. */
  readonly untilNext: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** A writer that goes on through every failure of the API. */
export async function startWriter(node: Node, signal: AbortSignal): Promise<Writer> {
  const service = await startTool(node, 'writer');
  const acknowledged: number[] = [];
  const waiting = new Set<{ count: number; resolve: () => void }>();
  let last = '';
  const follow = async (): Promise<void> => {
    for await (const line of service.lines(signal)) {
      last = line;
      if (!line.startsWith('ack ')) continue;
      acknowledged.push(Number(line.slice(4)));
      // The second one, because the first may have been on its way already.
      for (const one of waiting) if (--one.count === 0 && waiting.delete(one)) one.resolve();
    }
  };
  const followed = follow();
  // It ends with the service or the scenario; whoever waits for a write then is told by `bounded`.
  followed.catch(() => undefined);
  return {
    acknowledged: () => acknowledged,
    untilNext: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add({ count: 2, resolve });
      const told = (error: unknown): never => {
        throw new Error(`the writer said last: ${last}`, { cause: error });
      };
      await bounded(promise, { signal, what: 'an acknowledged write', within: 180_000 }).catch(told);
    },
    stop: async () => {
      service.signal('SIGKILL');
      await service.exited;
      await followed;
    },
  };
}

/** Every acknowledged write is still there. */
export async function assertNothingLost(node: Node, writer: Writer): Promise<void> {
  const stored = new Set((await node.kubectl(['get', 'configmaps', '-l', 'writer=yes', '-o', 'name'])).trim().split('\n'));
  const lost = writer.acknowledged().filter((number) => !stored.has(`configmap/write-${number}`));
  assert.ok(writer.acknowledged().length > 0, 'nothing was written');
  assert.deepEqual(lost, [], `lost of ${writer.acknowledged().length} acknowledged writes`);
}

/** Sends 50 requests a second until `stop`, which gives the report. */
export async function startRequests(node: Node, signal: AbortSignal): Promise<{ readonly stop: () => Promise<RateReport> }> {
  await node.kubectl(['create', 'configmap', 'rate']);
  const service = await startTool(node, 'request-rate');
  for await (const line of service.lines(signal)) if (line === 'sending') break;
  return {
    stop: async () => {
      service.signal('SIGTERM');
      let report: RateReport | undefined;
      for await (const line of service.lines(signal)) if (line.startsWith('{')) report = JSON.parse(line) as RateReport;
      assert.ok(report, 'no report of the requests');
      return report;
    },
  };
}
