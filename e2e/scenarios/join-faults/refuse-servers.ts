import assert from 'node:assert/strict';
import { dataDir, type Node, untilLine } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { joinAddress, makeNew, nameTaken, notHttps, otherAuthority, takeNew, unreachable } from './sentences.ts';
import type { Tokens } from './tokens.ts';
import { assertAlone, listenTo, nodeNames } from './watch-join.ts';

type Cast = { readonly joiner: Node; readonly first: Node; readonly tokens: Tokens };

type Fault = {
  readonly title: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly code: 1 | 2;
  readonly says: string;
};

/** A server that is refused ends, with the sentence as its last word, and nothing of it stays here or there. */
export async function refuseServers(context: ScenarioContext, { joiner, first, tokens }: Cast): Promise<void> {
  const { check, life } = context;
  const before = await nodeNames(first);
  for (const { title, config, code, says } of faultsOf(first, tokens)) {
    await check(`server: ${title} is refused, and leaves nothing`, async () => {
      await joiner.configure(config);
      const result = await joiner.rfo(['server'], { timeout: 120_000 });
      assert.equal(result.stderr.trim().split('\n').at(-1), `rfo: ${says}`);
      assert.equal(result.code, code);
      // Neither keys of this cluster nor the beginning of another one.
      const left = await joiner.host.must(['sh', '-c', `ls -d ${dataDir}/server/* /run/rfo/processes/* 2>/dev/null || true`]);
      assert.equal(left, '');
      assert.equal(await nodeNames(first), before);
      await assertAlone(first);
    });
  }
  await check('server: an address that nobody listens on is told of and waited for, until a signal ends it', async () => {
    const nobody = `https://${joiner.host.ip}:9999`;
    await joiner.configure({ server: nobody, token: tokens.server });
    const heard = await listenTo(joiner);
    await joiner.start();
    await untilLine(joiner.service(), /no server answers yet; it goes on by itself once one does/, { signal: life.signal, within: 60_000 });
    assert.ok((await heard()).some((line) => line.endsWith(` reason=${JSON.stringify(unreachable(nobody))}`)));
    assert.equal(await joiner.stop('SIGTERM'), 0);
  });
}

function faultsOf(first: Node, tokens: Tokens): readonly Fault[] {
  const server = joinAddress(first);
  const { server: token } = tokens;
  const refused = `${server} does not accept the token of this node:`;
  const files = 'the files that servers share';
  const forbidden = `${server} refuses ${files}: these credentials are not enough for GET /v1-rfo/server-bootstrap (join-forbidden). Give the token of a server.`;
  const named = (name: string) => ({
    config: { server, token, 'node-name': name },
    code: 1 as const,
    says: nameTaken(server, { name, what: files }),
  });
  const notSecure = `http://${first.host.ip}:9345`;
  return [
    { title: 'a token of another CA', config: { server, token: tokens.foreign(token) }, code: 1, says: otherAuthority(server, tokens) },
    {
      title: 'a wrong token',
      config: { server, token: tokens.wrong.replace('::node:', '::server:') },
      code: 1,
      says: `${refused} the token is none of this cluster. ${takeNew}`,
    },
    { title: 'the token of agents', config: { server, token: tokens.agent }, code: 1, says: forbidden },
    { title: 'a made token for agents', config: { server, token: tokens.made }, code: 1, says: forbidden },
    {
      title: 'an expired token for servers',
      config: { server, token: tokens.expiredServer.token },
      code: 1,
      says: `${refused} the token expired at ${tokens.expiredServer.at}. ${makeNew}`,
    },
    { title: 'the name of the first server', ...named(first.host.name) },
    { title: 'the name of an agent', ...named(tokens.other.host.name) },
    {
      title: 'one whose settings are not those of the cluster',
      config: {
        server,
        token,
        'cluster-cidr': '10.52.0.0/16',
        'service-cidr': '10.53.0.0/16',
        'cluster-domain': 'other.local',
        'cni': 'none',
      },
      code: 2,
      says:
        'this server does not fit the cluster: cluster-cidr is 10.52.0.0/16 here, 10.42.0.0/16 in the cluster; service-cidr is 10.53.0.0/16 ' +
        'here, 10.43.0.0/16 in the cluster; cluster-domain is other.local here, cluster.local in the cluster; cni is none here, flannel in ' +
        'the cluster. Give it the values of the cluster.',
    },
    { title: 'an address that is not https', config: { server: notSecure, token }, code: 2, says: notHttps(notSecure) },
  ];
}
