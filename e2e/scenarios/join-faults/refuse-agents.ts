import assert from 'node:assert/strict';
import { type Node, untilLine } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { joinAddress, makeNew, nameTaken, notHttps, otherAuthority, takeNew, unreachable } from './sentences.ts';
import type { Tokens } from './tokens.ts';
import { assertAlone, listenTo, nodeNames, untilJoined } from './watch-join.ts';

type Cast = { readonly agent: Node; readonly first: Node; readonly tokens: Tokens };

type Fault = {
  readonly title: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly flags?: readonly string[];
  /** The whole of what the log says. */
  readonly says: string;
};

/** An agent goes on trying: it says what is wrong, once, and ends only at a signal. */
export async function refuseAgents(context: ScenarioContext, { agent, first, tokens }: Cast): Promise<void> {
  const { check, life } = context;
  const before = await nodeNames(first);
  for (const { title, config, flags = [], says } of faultsOf(first, tokens)) {
    await check(`agent: ${title} is told, and waited with`, async () => {
      await agent.configure(config);
      const heard = await listenTo(agent);
      await agent.start({ flags });
      await untilLine(agent.service(), /no server lets this node join; it is tried again every 30 s/, {
        signal: life.signal,
        within: 60_000,
      });
      assert.deepEqual(reasonsIn(await heard()), [says]);
      const shown = await agent.host.must(['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "']);
      for (const secret of tokens.secrets) assert.ok(!shown.includes(secret), 'a secret is in the list of processes');
      assert.equal(await agent.stop('SIGTERM'), 0);
      assert.equal(await nodeNames(first), before);
    });
  }
  await check('agent: an address that is not https is refused at once', async () => {
    const address = `http://${first.host.ip}:9345`;
    await agent.configure({ server: address, token: tokens.agent });
    const { code, stderr } = await agent.rfo(['agent'], { timeout: 60_000 });
    assert.equal(stderr.trim().split('\n').at(-1), `rfo: ${notHttps(address)}`);
    assert.equal(code, 2);
  });
  await assertAlone(first);
}

function faultsOf(first: Node, tokens: Tokens): readonly Fault[] {
  const server = joinAddress(first);
  const refused = `${server} does not accept the token of this node:`;
  const wrong = `${refused} the token is none of this cluster. ${takeNew}`;
  const named = (name: string) => ({
    config: { server, 'token': tokens.agent, 'node-name': name },
    says: nameTaken(server, { name, what: `the certificates of ${name}` }),
  });
  return [
    { title: 'a token of another CA', config: { server, token: tokens.foreign(tokens.agent) }, says: otherAuthority(server, tokens) },
    { title: 'a wrong token', config: { server, token: tokens.wrong }, says: wrong },
    { title: 'a wrong token as a flag, which ps does not show,', config: { server }, flags: ['--token', tokens.wrong], says: wrong },
    {
      title: 'an expired token',
      config: { server, token: tokens.expired.token },
      says: `${refused} the token expired at ${tokens.expired.at}. ${makeNew}`,
    },
    {
      title: 'a token that another node has used up',
      config: { server, token: tokens.usedUp },
      says: `${refused} the token was used as often as it may be. ${makeNew}`,
    },
    { title: 'a token that was deleted', config: { server, token: tokens.deleted }, says: wrong },
    { title: 'the name of another agent', ...named(tokens.other.host.name) },
    { title: 'the name of a server', ...named(first.host.name) },
  ];
}

/** The host of all these faults joins: first it waits for a server that is not there, then it has a wrong token, which is put right under it. */
export async function joinAfterFaults(context: ScenarioContext, { agent, first, tokens }: Cast): Promise<void> {
  const { step, life } = context;
  const { signal } = life;
  const file = '/etc/rancher/rfo/join-token';
  const server = joinAddress(first);
  const heard = await listenTo(agent);
  await step('agent: a server that does not listen is told of, and waited for', async () => {
    await first.stop('SIGTERM');
    await agent.host.writeFile(file, `${tokens.wrong}\n`, '0600');
    await agent.configure({ server, 'token-file': file });
    await agent.start();
    await untilLine(agent.service(), /no server answers yet; it goes on by itself once one does/, { signal, within: 60_000 });
    assert.deepEqual(reasonsIn(await heard()), [unreachable(server)]);
  });
  await step('agent: the server comes and refuses the token; nothing was said twice', async () => {
    await first.start();
    await untilLine(agent.service(), /no server lets this node join/, { signal, within: 120_000 });
    const said = reasonsIn(await heard());
    assert.deepEqual(said, [...new Set(said)]);
    assert.match(said.at(-1) ?? '', /the token is none of this cluster/);
  });
  await step('agent: the right token is put into the file, and it joins', async () => {
    await first.untilReady();
    await agent.host.writeFile(file, `${tokens.made}\n`, '0600');
    await untilJoined(agent, { through: first, context });
  });
}

/** Why the node has not joined yet, a sentence for each line that says so. */
function reasonsIn(lines: readonly string[]): readonly string[] {
  return lines
    .map((line) => /(?:no server lets this node join|no server answers yet).*? reason=(".*")$/.exec(line)?.[1])
    .filter((reason) => reason !== undefined)
    .map((reason) => JSON.parse(reason) as string);
}
