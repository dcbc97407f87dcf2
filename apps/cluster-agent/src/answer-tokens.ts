/** On a node of the control plane the agent answers the API server of its host for tokens of the manager, whether or not the manager can be reached. */
import { type Clock, type Life, type Log, retry } from '@rfo/foundation';
import { createInformer, followDirectUsers, type KubeClient, readEntry, type Secret, secretKind, serveTokenReviews } from '@rfo/kube';
import { agentNamespace, endpointPort, endpointSecret } from '@rfo/schema';

type AnswerInput = {
  readonly client: KubeClient;
  /** That it runs on; undefined where that is not known. */
  readonly node: string | undefined;
  readonly port?: number;
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
  /** Told the port whenever it answers. */
  readonly onServing?: (port: number) => void;
};

type Pair = { readonly cert: string; readonly key: string };

const controlPlaneLabels = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];
const pauses = { initial: 1000, max: 60_000 };

/** Answers for as long as the manager keeps the Secret of the endpoint here; until the life ends. */
export function answerTokens(input: AnswerInput): void {
  const { life, log } = input;
  isControlPlane(input)
    .then((is) => is && followSecret(input))
    .catch((error: unknown) => {
      if (!life.signal.aborted) log.error('it is not known whether this node has an API server', { error });
    });
}

/** Elsewhere nobody would ask, and there are many nodes. */
async function isControlPlane({ client, node, life, log }: AnswerInput): Promise<boolean> {
  if (node === undefined) return false;
  const ref = { apiVersion: 'v1', kind: 'Node', name: node };
  const onError = (error: unknown): void => log.debug('the labels of this node cannot be read', { error });
  const found = await retry(() => client.find(ref, { signal: life.signal }), { ...pauses, signal: life.signal, onError });
  const { labels = {} } = found?.metadata ?? {};
  return controlPlaneLabels.some((label) => label in labels);
}

function followSecret(input: AnswerInput): void {
  const { client, life, log } = input;
  let current: { readonly pair: Pair; readonly life: Life } | undefined;
  const informer = createInformer<Secret>({
    ...{ client, kind: secretKind, namespace: agentNamespace, life, log },
    fieldSelector: `metadata.name=${endpointSecret.name}`,
  });
  // One change after the other: the port has to be free again before it is taken.
  let changing = Promise.resolve();
  const look = async (): Promise<void> => {
    const pair = informer.store.list().map(pairOf)[0];
    if (pair?.cert === current?.pair.cert && pair?.key === current?.pair.key) return;
    await current?.life.end();
    current = undefined;
    if (pair === undefined || life.signal.aborted) return;
    current = { pair, life: life.child() };
    void serve(pair, { ...input, life: current.life });
  };
  const enqueue = (): void => {
    changing = changing.then(look).catch((error: unknown) => log.error('tokens cannot be answered for', { error }));
  };
  life.defer(informer.subscribe(enqueue));
  informer.synced.then(enqueue, () => undefined);
}

/** Another agent of the node may still hold the port while this one takes its place. */
async function serve(pair: Pair, { client, port = endpointPort, clock, life, log, onServing }: AnswerInput): Promise<void> {
  const users = followDirectUsers({ client, namespace: agentNamespace, life, log });
  const onError = (error: unknown): void => log.warn('tokens cannot be answered for yet', { error });
  const start = (): Promise<number> => serveTokenReviews({ users, host: '127.0.0.1', port, tls: pair, clock, life, log });
  try {
    const taken = await retry(start, { ...pauses, signal: life.signal, onError });
    log.info('the API server of this node is answered for tokens of the manager', { port: taken });
    onServing?.(taken);
  } catch (error) {
    if (!life.signal.aborted) log.error('tokens cannot be answered for', { error });
  }
}

function pairOf(secret: Secret): Pair | undefined {
  const { keys } = endpointSecret;
  const [cert, key] = [readEntry(secret, keys.cert), readEntry(secret, keys.key)];
  return cert && key ? { cert, key } : undefined;
}
