/** The address really moves between hosts, and a third one finds it. Needs root: the hosts are made of network namespaces. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Life } from '@rfo/foundation';
import { createLab, type Host, type Lab, repository, type Service } from '../../../../e2e/lab/index.ts';

const ip = '10.98.0.100';
const port = '9345';
const node = [join(repository, 'node_modules/.bin/node'), join(import.meta.dirname, 'vip.scene.ts')];
/** Milliseconds: no answer for longer means that nobody took over. */
const patience = 30_000;

describe('the virtual IP', { skip: process.geteuid?.() !== 0 && 'needs root', timeout: 120_000 }, () => {
  const life = new Life();
  let lab: Lab;
  let hosts: Readonly<Record<'a' | 'b', Host>>;
  let answers: Answers;
  /** The one that is left at the end. */
  let last: Host;
  const servers: Record<string, Service> = {};
  const apiServers: Record<string, Service> = {};

  const startApiServer = async (host: Host): Promise<void> => {
    apiServers[host.name] = await host.spawn('api-server', [...node, 'api-server', '10.98.0.10']);
    await lineOf(apiServers[host.name], (line) => line === 'up');
  };
  /** What answers on the address while the server itself is stopped or frozen, as Kubernetes' processes do. */
  const startAnswer = async (host: Host): Promise<string> =>
    lineOf(await host.spawn('answer', [...node, 'answer', port]), (line) => line === 'up');
  const startServer = async (host: Host): Promise<void> => {
    servers[host.name] = await host.spawn('server', [...node, 'server', ip, 'eth0', '/run/credentials.json']);
    await lineOf(servers[host.name], (line) => line === 'ready');
  };
  before(async () => {
    lab = await createLab({ name: 'vip', life });
    const api = await lab.addHost({ name: 'api', ip: '10.98.0.10' });
    const cluster = await api.spawn('cluster', [...node, 'cluster']);
    const third = await lab.addHost({ name: 'third', ip: '10.98.0.20' });
    hosts = { a: await lab.addHost({ name: 'a', ip: '10.98.0.11' }), b: await lab.addHost({ name: 'b', ip: '10.98.0.12' }) };
    const credentials = await lineOf(cluster, (line) => line.startsWith('{'));
    for (const host of Object.values(hosts)) {
      await host.writeFile('/run/credentials.json', credentials, '0600');
      await startApiServer(host);
      await startAnswer(host);
    }
    answers = followAnswers(await third.spawn('client', [...node, 'client', ip, port]), life.signal);
  });
  after(() => life.end());

  test('is taken by the first server at once, and kept when another comes', async (t) => {
    const began = Date.now();
    await startServer(hosts.a);
    t.diagnostic(`answers ${(await answers.from(['a'], began)) - began} ms after the start of the program`);
    await startServer(hosts.b);
    assert.deepEqual(await holders(hosts), ['a']);
    assert.equal(await hosts.a.readFile('/run/rfo/vip.json'), `{"address":"${ip}","interface":"eth0"}\n`);
  });

  test('moves at once when its holder is stopped', async (t) => {
    const began = Date.now();
    servers.a?.signal('SIGTERM');
    const took = (await answers.from(['b'], began)) - began;
    t.diagnostic(`answers again after ${took} ms`);
    assert.ok(took < 2_500, `${took} ms`);
    assert.equal(await servers.a?.exited, 0);
    assert.equal((await hosts.a.exec(['cat', '/run/rfo/vip.json'])).code, 1);
    await startServer(hosts.a);
    assert.deepEqual(await holders(hosts), ['b']);
  });

  test('stays without a gap while its holder is restarted', async () => {
    const began = Date.now();
    servers.b?.signal('SIGUSR2');
    assert.equal(await servers.b?.exited, 0);
    assert.deepEqual(await holders(hosts), ['b']);
    await startServer(hosts.b);
    // So long that the one before would have lost it.
    await lineOf(servers.b, (line) => line.includes('holds the virtual IP'));
    assert.deepEqual(answers.since(began), []);
  });

  test('is given up at once when the API server of its holder dies, and comes back with that', async (t) => {
    const began = Date.now();
    apiServers.b?.signal('SIGKILL');
    const gone = (await answers.from(['-'], began)) - began;
    assert.deepEqual(await holders(hosts), []);
    const up = Date.now();
    await startApiServer(hosts.b);
    const took = (await answers.from(['a', 'b'], up)) - up;
    t.diagnostic(`gone after ${gone} ms, answers ${took} ms after the start of another API server`);
    assert.ok(gone < 2_500, `gone after ${gone} ms`);
    assert.deepEqual(await holders(hosts), ['b'], 'its Lease was not over');
  });

  test('is removed by the kernel of a frozen holder before another takes it, and not touched by it when it thaws', async (t) => {
    const began = Date.now();
    servers.b?.signal('SIGSTOP');
    const took = (await answers.from(['a'], began)) - began;
    const gone = answers.since(began).find(({ answer }) => answer === '-');
    t.diagnostic(`gone after ${(gone?.at ?? Number.NaN) - began} ms, answers again after ${took} ms`);
    assert.ok(gone !== undefined, 'somebody answered all the time');
    assert.ok(took < 12_000, `${took} ms`);
    const thawed = Date.now();
    await thaw(servers.b);
    await lineOf(servers.b, (line) => line.includes('holds the virtual IP no more because=lost') || line.includes('because=failed'));
    assert.deepEqual(await holders(hosts), ['a']);
    assert.deepEqual(answers.since(thawed), []);
  });

  test('is removed at once when the link of its holder goes down, and answers soon after that is back', async (t) => {
    const began = Date.now();
    await hosts.a.linkDown();
    await lineOf(servers.a, (line) => line.includes('the interface eth0 is down'));
    const gone = Date.now() - began;
    assert.deepEqual(await holders(hosts), []);
    const up = Date.now();
    await hosts.a.linkUp();
    // Either: whether the one gave the Lease back before the other's time depends on when TCP tries again.
    const took = (await answers.from(['a', 'b'], up)) - up;
    t.diagnostic(`removed after ${gone} ms, answers ${took} ms after the link came back`);
    assert.ok(gone < 2_500, `removed after ${gone} ms`);
  });

  test('is taken when its holder loses power, and removed by the clean-up when that one is killed as well', async (t) => {
    const [first, second] = (await holders(hosts))[0] === 'a' ? [hosts.a, hosts.b] : [hosts.b, hosts.a];
    const began = Date.now();
    await first.powerCut();
    const took = (await answers.from([second.name], began)) - began;
    t.diagnostic(`answers again after ${took} ms`);
    assert.ok(took < 12_000, `${took} ms`);
    last = second;
    servers[second.name]?.signal('SIGKILL');
    await servers[second.name]?.exited;
    assert.deepEqual(await holders({ last }), ['last']);
    assert.equal(await last.must([...node, 'remove']), '');
    assert.deepEqual(await holders({ last }), []);
    assert.equal((await last.exec(['cat', '/run/rfo/vip.json'])).code, 1);
    assert.equal(await last.must([...node, 'remove']), '', 'and again');
  });

  test('is refused where it is an address of the host, or has no interface', async () => {
    const refusal = async (...address: readonly [ip: string, iface: string]): Promise<string> =>
      lineOf(await last.spawn('refused', [...node, 'server', ...address, '/run/credentials.json']), (line) => line.includes('vip: failed'));
    assert.match(await refusal(last.ip, 'eth0'), /10\.98\.0\.1[12] is an address of this host itself \(on eth0\)/);
    assert.match(await refusal(ip, 'eth7'), /this host has no interface eth7/);
  });
});

type Answer = { readonly at: number; readonly answer: string };
type Answers = {
  /** Resolves with the moment from which one of these was the answer, `after` or later. */
  readonly from: (wanted: readonly string[], after: number) => Promise<number>;
  readonly since: (after: number) => readonly Answer[];
};

/** What the third host gets from the address. */
function followAnswers(client: Service, signal: AbortSignal): Answers {
  const all: Answer[] = [];
  let more = Promise.withResolvers<void>();
  const read = async (): Promise<void> => {
    for await (const line of client.lines(signal)) {
      const [at, answer = ''] = line.split(' ');
      all.push({ at: Number(at), answer });
      more.resolve();
      more = Promise.withResolvers<void>();
    }
  };
  read().catch(() => undefined);
  const since = (after: number): readonly Answer[] => all.filter(({ at }) => at >= after);
  return {
    since,
    from: async (wanted, after) => {
      const deadline = AbortSignal.timeout(patience);
      for (;;) {
        const found = since(after).find(({ answer }) => wanted.includes(answer));
        if (found !== undefined) return found.at;
        const late = new Promise<never>((_, reject) => {
          deadline.addEventListener('abort', () => reject(new Error(`no answer ${wanted}: ${JSON.stringify(since(after))}`)));
        });
        await Promise.race([more.promise, late]);
      }
    },
  };
}

/** The first line that a program of a host says of this kind; its whole log in the error when it says none. */
async function lineOf(service: Service | undefined, wanted: (line: string) => boolean): Promise<string> {
  assert.ok(service);
  try {
    for await (const line of service.lines(AbortSignal.timeout(patience))) if (wanted(line)) return line;
  } catch (error) {
    throw new Error(await readFile(service.logFile, 'utf8'), { cause: error });
  }
  throw new Error(`it ended: ${await readFile(service.logFile, 'utf8')}`);
}

/** nsenter, which started the program, has stopped with it; it passes the signal on. */
async function thaw(service: Service | undefined): Promise<void> {
  const status = await readFile(`/proc/${service?.pid}/status`, 'utf8');
  process.kill(Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]), 'SIGCONT');
}

/** On which hosts the address is set. */
async function holders(hosts: Readonly<Record<string, Host>>): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [name, host] of Object.entries(hosts)) {
    if ((await host.must(['ip', '-o', '-4', 'address', 'show', 'dev', 'eth0'])).includes(`inet ${ip} `)) found.push(name);
  }
  return found;
}
