/** Work that goes through a manager beside a scenario, and what has become of it. */
import assert from 'node:assert/strict';
import type { LoadReport, LoadSettings } from '../../tools/manager-load.ts';
import { type Node, untilLine } from '../node.ts';
import type { ScenarioContext } from '../scenario.ts';
import { toolCommand } from '../tools.ts';
import type { People } from './people.ts';

export type Load = {
  /** Notes what was not good at first since the last look, and gives it: a line for each request. */
  readonly look: (when: string) => Promise<readonly string[]>;
  /** Throws where an error was answered so far. Only the connection may have ended as a request was sent. */
  readonly orderly: () => Promise<void>;
  /** Ends it. Throws where a request has failed for good, a write was not seen, or there were fewer of them (100). */
  readonly judge: (least?: number) => Promise<void>;
};

/**
 * Starts it as admin in the ConfigMap `load` of the namespace `shop` of cluster `edge`, and waits until some of it has gone through.
 * @param options `on`: from where it comes. `address`: of the manager, the one that people use by default. `ca`: PEM
 */
export async function startLoad(
  { life, note }: Pick<ScenarioContext, 'life' | 'note'>,
  options: { readonly on: Node; readonly people: People; readonly address?: string; readonly ca: string },
): Promise<Load> {
  const { signal } = life;
  const { on, people, address = people.address, ca } = options;
  const token = (await people.as('admin', ['tokens', 'create', '--ttl', '24h'])).trim();
  const settings: LoadSettings = { address, ca, token, cluster: 'edge', namespace: 'shop' };
  await on.host.writeFile('/root/load.json', JSON.stringify(settings), '0600');
  const service = await on.host.spawn('load', [...toolCommand('manager-load'), '/root/load.json']);
  await untilLine(service, /^it works$/, { signal, within: 60_000 });
  let told = 0;
  const read = async (): Promise<readonly string[]> => (await on.host.readFile('/root/load.log')).split('\n').filter((line) => line !== '');
  return {
    orderly: async () => {
      const answered = (await read()).filter((line) => /: (status )?\d{3}\b/.test(line));
      assert.deepEqual(answered, []);
    },
    look: async (when) => {
      const lines = (await read()).slice(told);
      note(`${when}: ${lines.length} of the requests and watches were sent again`);
      for (const line of lines) note(`  ${line}`);
      told += lines.length;
      return lines;
    },
    judge: async (least = 100) => {
      service.signal('SIGTERM');
      let report: LoadReport | undefined;
      for await (const line of service.lines(signal)) if (line.startsWith('{')) report = JSON.parse(line) as LoadReport;
      assert.ok(report, 'no report of the load');
      const { sent, again, failed, slowest, watch } = report;
      note(`${sent} requests, ${again} of them sent again, the slowest took ${(slowest / 1000).toFixed(1)} s`);
      note(`the watch was opened ${watch.opened} times and saw ${watch.seen} writes`);
      assert.ok(sent > least && watch.seen > least, 'hardly anything was sent');
      assert.deepEqual(failed, []);
      assert.deepEqual(watch.missed, []);
    },
  };
}
