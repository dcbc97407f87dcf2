/** RFO on a host of the lab, as a user sees it: its commands, its files, its processes. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, systemCode } from '@rfo/foundation';
import { commandFailed, type Host, lastLines, type RunOptions, type RunResult, repository, type Service } from '../lab/index.ts';
import { eventually } from './eventually.ts';
import { type Identity, isReadySince, type NodeObject, startOf } from './node-ready.ts';

export type NodeOptions = {
  /** What runs on it; a server by default. */
  readonly role?: NodeRole;
  /** Content of /etc/rancher/rfo/config.yaml: of a node that joins, what `joinConfig` gives and more. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Variables of rfo. */
  readonly env?: Readonly<Record<string, string>>;
  /** The server on which an agent's kubectl runs; an agent has no kubeconfig of an administrator itself. */
  readonly through?: Node;
};
export type NodeRole = 'server' | 'agent';

export type KubectlOptions = RunOptions & {
  /** The server on whose host kubectl runs; by default the node itself, of an agent the one it was made with. */
  readonly through?: Node;
  /** The server whose API is asked, over the network; by default the one on the host on which kubectl runs. */
  readonly at?: Node;
};

export type Node = {
  readonly host: Host;
  readonly role: NodeRole;
  /** Replaces the config file; acts at the next start. */
  readonly configure: (config: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Starts `rfo server` or `rfo agent`; does not wait for anything. */
  readonly start: (options?: { readonly flags?: readonly string[]; readonly env?: Readonly<Record<string, string>> }) => Promise<void>;
  /** The running rfo. */
  readonly service: () => Service;
  /** Its process number inside the host. */
  readonly servicePid: () => Promise<number>;
  /** Waits until the running rfo says that all is ready, and `untilNodeReady`; throws at once when rfo ends. */
  readonly untilReady: (options?: Pick<KubectlOptions, 'through' | 'at'>) => Promise<void>;
  /** Waits until the API says that the Node is Ready, by the word of the kubelet that runs now. */
  readonly untilNodeReady: (options?: Pick<KubectlOptions, 'through' | 'at'>) => Promise<void>;
  /** Sends a signal to rfo and gives its exit code: SIGINT ends all, SIGTERM leaves the pods, SIGUSR2 leaves everything. */
  readonly stop: (signal: 'SIGINT' | 'SIGTERM' | 'SIGUSR2' | 'SIGKILL') => Promise<number>;
  readonly rfo: (args: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** kubectl as administrator; a code other than 0 throws. Gives stdout. */
  readonly kubectl: (args: readonly string[], options?: KubectlOptions) => Promise<string>;
  readonly tryKubectl: (args: readonly string[], options?: KubectlOptions) => Promise<RunResult>;
  /** `kubectl wait`, five minutes unless told; when it fails it shows the pods and the last events. */
  readonly wait: (args: readonly string[], timeout?: number, options?: Pick<KubectlOptions, 'through' | 'at'>) => Promise<void>;
  /** Applies objects as administrator. */
  readonly apply: (...objects: readonly object[]) => Promise<void>;
  /** Process numbers (inside the host) by component, from the records of the running ones. */
  readonly pids: () => Promise<Readonly<Record<string, number>>>;
  /** The last lines of the logs of the node, for the report of a failure. */
  readonly logTails: (lines: number) => Promise<string>;
};

/** The sources, or the program that `RFO_E2E_PROGRAM` names, for example the bundled one. */
export const rfoCommand: readonly string[] = [
  join(repository, 'node_modules/.bin/node'),
  '--disable-warning=ExperimentalWarning',
  process.env.RFO_E2E_PROGRAM ?? join(repository, 'apps/rfo/src/main.ts'),
];
export const dataDir = '/var/lib/rancher/rfo';
const runDir = '/run/rfo';
export const configFile = '/etc/rancher/rfo/config.yaml';
export const kubeconfigFile = '/etc/rancher/rfo/rfo.yaml';
/** The image of the test pods, brought to the node as an administrator would: in `agent/images`. */
export const testbox = 'rfo.io/testbox:1';

/** Gives a host what a node needs before its first start: the test image and the configuration. */
export async function makeNode(host: Host, options: NodeOptions & { readonly signal: AbortSignal }): Promise<Node> {
  const { role = 'server', config, env = {}, through, signal } = options;
  let running: Service | undefined;
  const service = (): Service => {
    assert.ok(running, `rfo ${role} was not started on ${host.name}`);
    return running;
  };
  const rfo = (args: readonly string[], runOptions: RunOptions = {}): Promise<RunResult> =>
    host.exec([...rfoCommand, ...args], { signal, ...runOptions });
  const tryKubectl = async (args: readonly string[], { through: chosen, at, ...runOptions }: KubectlOptions = {}): Promise<RunResult> => {
    const from = chosen?.host ?? (role === 'server' ? host : through?.host);
    assert.ok(from, `name the server through which kubectl asks about agent ${host.name}`);
    const command = [join(dataDir, 'bin/kubectl'), ...(at === undefined ? [] : [`--server=https://${at.host.ip}:6443`]), ...args];
    return await from.exec(command, { signal, ...runOptions, env: { KUBECONFIG: kubeconfigFile, ...runOptions.env } });
  };
  const kubectl = async (args: readonly string[], kubectlOptions: KubectlOptions = {}): Promise<string> => {
    const result = await tryKubectl(args, kubectlOptions);
    if (result.code !== 0) throw commandFailed(['kubectl', ...args], result);
    return result.stdout;
  };
  const wait: Node['wait'] = async (args, timeout = 300_000, way = {}) => {
    const result = await tryKubectl(['wait', `--timeout=${Math.round(timeout / 1000)}s`, ...args], { ...way, timeout: timeout + 10_000 });
    if (result.code === 0) return;
    const seen = await overview((question) => tryKubectl(question, way));
    throw new Error(`${commandFailed(['kubectl wait', ...args], result).message}\n${seen}`);
  };
  const configure = (content: Readonly<Record<string, unknown>>): Promise<void> =>
    // JSON is YAML.
    host.writeFile(configFile, `${JSON.stringify(content, undefined, 2)}\n`, '0600');

  const identities = (): Promise<Identities> => readIdentities(join(`/proc/${host.init()}/root`, runDir, 'processes'));
  const untilNodeReady: Node['untilNodeReady'] = async (way = {}) => {
    await wait(['--for=condition=Ready', `node/${host.name}`], 300_000, way);
    const look = async (): Promise<true | undefined> => {
      const { kubelet } = await identities();
      if (kubelet === undefined) return undefined;
      const node = JSON.parse(await kubectl(['get', 'node', host.name, '-o', 'json'], way)) as NodeObject;
      return isReadySince(node, startOf(kubelet, await readFile('/proc/stat', 'utf8'))) || undefined;
    };
    await eventually(`the kubelet of ${host.name} to say that the Node is Ready`, look, { signal });
  };

  const images = join(dataDir, 'agent/images');
  await host.must(['sh', '-ec', `mkdir -p -m 0700 ${images}; cp ${join(repository, '.cache/dist/images-test')}/*.tar ${images}/`]);
  // A host without any would take that of the node which `npm start` runs from this clone.
  if (config !== undefined || (await host.exec(['test', '-e', configFile], { signal })).code !== 0) await configure(config ?? {});

  return {
    host,
    role,
    configure,
    start: async ({ flags = [], env: more = {} } = {}) => {
      running = await host.spawn('rfo', [...rfoCommand, role, ...flags], { ...env, ...more });
    },
    service,
    servicePid: async () => Number(/^NSpid:.*\s(\d+)$/m.exec(await readFile(`/proc/${service().pid}/status`, 'utf8'))?.[1]),
    untilReady: async (way = {}) => {
      await untilLine(service(), /: the node is ready$/, { signal, within: 300_000 });
      await untilNodeReady(way);
    },
    untilNodeReady,
    stop: async (name) => {
      service().signal(name);
      return await bounded(service().exited, { signal, what: `the end of rfo ${role} after ${name}`, within: 120_000 });
    },
    rfo,
    kubectl,
    tryKubectl,
    wait,
    apply: async (...objects) => {
      const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
      await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input });
    },
    pids: async () => Object.fromEntries(Object.entries(await identities()).map(([name, { pid }]) => [name, pid])),
    logTails: (lines) => tails(host, lines),
  };
}

/** Waits for a promise, but neither forever nor beyond the scenario. */
export async function bounded<T>(
  promise: Promise<T>,
  options: { readonly signal: AbortSignal; readonly what: string; readonly within: number },
): Promise<T> {
  const { signal, what, within } = options;
  let stop: (() => void) | undefined;
  const never = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(fail('timeout', { what, seconds: within / 1000, cure: 'See the logs below' })), within);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([promise, never]);
  } finally {
    stop?.();
  }
}

/** Waits for a line of a service's output; throws at once when the service ends without it. */
export async function untilLine(
  service: Service,
  pattern: RegExp,
  options: { readonly signal: AbortSignal; readonly within: number },
): Promise<void> {
  const search = async (): Promise<void> => {
    let last = '';
    for await (const line of service.lines(options.signal)) {
      if (pattern.test(line)) return;
      last = line;
    }
    throw new Error(`it ended with exit code ${await service.exited} without a line ${pattern}; it said last: ${last}`);
  };
  await bounded(search(), { ...options, what: `a line ${pattern}` });
}

async function overview(tryKubectl: (args: readonly string[]) => Promise<RunResult>): Promise<string> {
  const nodesAndPods = await tryKubectl(['get', 'nodes,pods,deployments', '-A', '-o', 'wide']);
  const events = await tryKubectl(['get', 'events', '-A', '--sort-by=.lastTimestamp']);
  return `${nodesAndPods.stdout}${nodesAndPods.stderr}\nlast events:\n${lastLines(events.stdout + events.stderr, 15)}`;
}

type Identities = Readonly<Record<string, Identity>>;

async function readIdentities(folder: string): Promise<Identities> {
  const found: Record<string, Identity> = {};
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()) {
    const record = JSON.parse(await readFile(join(folder, file), 'utf8')) as { name: string; identity?: Identity };
    if (record.identity !== undefined) found[record.name] = record.identity;
  }
  return found;
}

/** All of what rfo said last, and what its components complained of last. */
async function tails(host: Host, lines: number): Promise<string> {
  const complaint = /^[EWF]\d{4} |"level":"(warn|error|fatal|panic)"|level=(warn|error|fatal)|panic|fatal/;
  const parts: string[] = [];
  const show = async (folder: string, pick: (line: string) => boolean): Promise<void> => {
    for (const name of await filesOf(folder)) {
      const picked = (await readFile(join(folder, name), 'utf8')).split('\n').filter(pick).slice(-lines);
      if (picked.length > 0) parts.push(`-- ${host.name}: ${name}`, ...picked.map((line) => line.slice(0, 300)));
    }
  };
  await show(join(host.dir, 'disk/var-lib-rancher/rfo/logs'), (line) => complaint.test(line));
  await show(join(host.dir, 'logs'), (line) => line !== '');
  return parts.join('\n');
}

async function filesOf(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.log')).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
