/** An admission webhook behind a ClusterIP Service, its server in a pod on every node. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { type Node, testbox } from '../../harness/node.ts';
import { namespace } from '../../harness/objects.ts';
import { repository } from '../../lab/index.ts';

const name = 'admission';
const guarded = 'guarded';

/** Sets it up and waits until its pods are ready. It guards the config maps of one namespace. */
export async function deployWebhook(server: Node): Promise<void> {
  const pem = await server.host.must([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-keyout', '-'],
    ...['-subj', `/CN=${name}.default.svc`, '-addext', `subjectAltName=DNS:${name}.default.svc`],
  ]);
  const part = (what: string): string => new RegExp(`-----BEGIN ${what}-----[\\s\\S]*?-----END ${what}-----\n`).exec(pem)?.[0] ?? '';
  const certificate = part('CERTIFICATE');
  await server.apply(
    namespace(guarded),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'default' },
      stringData: { 'tls.crt': certificate, 'tls.key': part('PRIVATE KEY') },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: { selector: { app: name }, ports: [{ port: 443, targetPort: 8443 }] },
    },
    daemonSet(),
  );
  await server.kubectl(['rollout', 'status', `daemonset/${name}`, '--timeout=180s'], { timeout: 190_000 });
  await server.apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'admission.example.com',
        clientConfig: { service: { name, namespace: 'default', path: '/' }, caBundle: Buffer.from(certificate).toString('base64') },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': guarded } },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 5,
      },
    ],
  });
}

/** The pods of every node refuse what they should, and what they let through is written. */
export async function assertAsked(server: Node, signal: AbortSignal): Promise<void> {
  const pods = (await server.kubectl(['get', 'pods', '-l', `app=${name}`, '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ').sort();
  const refusers = new Set<string>();
  const all = async (): Promise<true> => {
    const answer = await createGuarded(server, { forbidden: 'yes' });
    const pod = /denied the request: forbidden by (\S+)/.exec(answer)?.[1];
    assert.ok(pod, answer);
    refusers.add(pod);
    assert.deepEqual([...refusers].sort(), pods);
    return true;
  };
  await eventually('a refusal by each pod of the webhook', all, { signal, within: 60_000 });
  assert.match(await createGuarded(server, {}), /^configmap\/\S+ created/);
}

/** The API server cannot ask it, and refuses for that. */
export async function assertUnreachable(server: Node, signal: AbortSignal): Promise<void> {
  const look = async (): Promise<true> => {
    assert.match(await createGuarded(server, {}), /failed calling webhook/);
    return true;
  };
  await eventually('the webhook to be out of reach', look, { signal, within: 60_000 });
}

/** Gives what kubectl says, whatever it is. */
async function createGuarded(server: Node, labels: Readonly<Record<string, string>>): Promise<string> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'any-', namespace: guarded, labels } };
  const { stdout, stderr } = await server.tryKubectl(['create', '-f', '-'], { input: JSON.stringify(object), timeout: 30_000 });
  return stdout + stderr;
}

/** It is TypeScript, so the pod is given the host's Node with the libraries that this one loads, and the sources; all to read. */
function daemonSet(): object {
  const fromHost = [repository, '/usr', '/lib', '/lib64'];
  const command = [join(repository, 'node_modules/.bin/node'), join(repository, 'e2e/tools/admission-webhook.ts'), '8443'];
  const container = {
    name,
    image: testbox,
    command: [...command, '/tls/tls.crt', '/tls/tls.key'],
    readinessProbe: { httpGet: { path: '/', port: 8443, scheme: 'HTTPS' }, periodSeconds: 1 },
    volumeMounts: [
      ...fromHost.map((path, index) => ({ name: `host-${index}`, mountPath: path, readOnly: true })),
      { name: 'tls', mountPath: '/tls', readOnly: true },
    ],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'default' },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [container],
          volumes: [
            ...fromHost.map((path, index) => ({ name: `host-${index}`, hostPath: { path } })),
            { name: 'tls', secret: { secretName: name } },
          ],
        },
      },
    },
  };
}
