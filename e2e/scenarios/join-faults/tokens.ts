/** The tokens that nodes try to join with, good and bad. */
import assert from 'node:assert/strict';
import { joinConfig } from '../../harness/cluster.ts';
import { eventually } from '../../harness/eventually.ts';
import { dataDir, type Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';

/** Configured on the first server, so that agents and servers have different ones. */
export const agentPassword = 'e1ffa0c6d5b04f4bb6b2a9c3d7e8f901';
const wrongPassword = '0badc0de0badc0de0badc0de0badc0de';

export type Tokens = {
  /** In full: `K10<hash>::…`. */
  readonly server: string;
  readonly agent: string;
  /** Right but for its hash of the CA, and right but for its secret. */
  readonly foreign: (good: string) => string;
  readonly wrong: string;
  /** Made ones, by what is the matter with them; the id stands in the sentence of nobody. */
  readonly expired: { readonly token: string; readonly at: string };
  readonly usedUp: string;
  readonly deleted: string;
  /** For servers, and expired. */
  readonly expiredServer: { readonly token: string; readonly at: string };
  /** One that is good, for agents. */
  readonly made: string;
  /** The agent that used the last one up. */
  readonly other: Node;
  /** What must be in no log and no list of processes. */
  readonly secrets: readonly string[];
};

export async function makeTokens(context: ScenarioContext, first: Node): Promise<Tokens> {
  const { step, life } = context;
  const { signal } = life;
  const make = async (...flags: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await first.rfo(['token', 'create', ...flags]);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  const untilRefused = (token: string, as: string): Promise<string> => askUntilRefused(first, { token, as, signal });
  const { server: address, token: server } = await joinConfig(first, 'server');
  const { token: agent } = await joinConfig(first, 'agent');

  const made = await step('tokens are made: one that expires at once, one for a single node, one that is deleted', async () => {
    const [expired, expiredServer, single, deleted, good] = [
      await make('--ttl', '1s'),
      await make('--ttl', '1s', '--role', 'server'),
      await make('--max-uses', '1'),
      await make(),
      await make('--description', 'a good one'),
    ];
    const result = await first.rfo(['token', 'delete', idOf(deleted)]);
    assert.equal(result.code, 0, result.stderr);
    const at = (message: string): string => /expired at (\S+)\. /.exec(message)?.[1] ?? assert.fail(message);
    return {
      expired: { token: expired, at: at(await untilRefused(expired, 'join-token-expired')) },
      expiredServer: { token: expiredServer, at: at(await untilRefused(expiredServer, 'join-token-expired')) },
      ...{ single, deleted, good },
    };
  });
  await untilRefused(made.deleted, 'join-token-wrong');
  const other = await step('an agent uses the one for a single node up', async () => {
    const config = { server: address, token: made.single };
    const node = await context.addNode('agent-0', { role: 'agent', through: first, config });
    await node.start();
    await node.untilReady();
    await untilRefused(made.single, 'join-token-used-up');
    return node;
  });
  const all = [server, agent, made.expired.token, made.expiredServer.token, made.single, made.deleted, made.good];
  return {
    ...{ server, agent, other },
    foreign: (good) => good.replace(/^K10[0-9a-f]{64}/, `K10${'0'.repeat(64)}`),
    wrong: agent.replace(/::node:.*$/, `::node:${wrongPassword}`),
    expired: made.expired,
    expiredServer: made.expiredServer,
    usedUp: made.single,
    deleted: made.deleted,
    made: made.good,
    secrets: [wrongPassword, ...all.map(secretOf)],
  };
}

/** The part of a made token that anybody may see. */
export function idOf(token: string): string {
  return /::([a-z0-9]{6})\./.exec(token)?.[1] ?? assert.fail('not a made token');
}

/** The part that nobody may see. */
function secretOf(token: string): string {
  return /(?:\.|:)([a-z0-9]+)$/.exec(token)?.[1] ?? assert.fail('not a token');
}

export const hashOf = (token: string): string => /^K10([0-9a-f]{64})::/.exec(token)?.[1] ?? assert.fail('not a full token');

/** Asks the join API until it refuses the token for this reason; gives its words. */
async function askUntilRefused(
  first: Node,
  { token, as, signal }: { readonly token: string; readonly as: string; readonly signal: AbortSignal },
): Promise<string> {
  // By the standard input: a token has no place on a command line here either.
  const input = `header = "Authorization: Bearer ${token.replace(/^.*::/, '')}"\n`;
  const curl = [
    'curl',
    '-sS',
    '-m',
    '10',
    '--cacert',
    `${dataDir}/server/tls/server-ca.crt`,
    '-K',
    '-',
    'https://127.0.0.1:9345/v1-rfo/config',
  ];
  const ask = async (): Promise<string> => {
    const { code, message } = JSON.parse(await first.host.must(curl, { input })) as { readonly code?: string; readonly message?: string };
    assert.equal(code, as);
    return message ?? '';
  };
  return await eventually(`a refusal as ${as}`, ask, { signal, within: 60_000 });
}
