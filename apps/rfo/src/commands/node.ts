// `rfo node readopt`: lets a host that was installed anew have its old name again.
import { fail } from '@rfo/foundation';
import type { Condition, KubeClient, KubeObject } from '@rfo/kube';
import { nearest, nodeReadoptConfig } from '@rfo/schema';
import type { Run } from '../cli/context.ts';
import { loadFor } from '../cli/with-config.ts';
import { pathsOf } from '../paths.ts';
import { nodePasswordRef } from '../supervisor/node-passwords.ts';
import { connectAsAdministrator } from './administrator.ts';

type Node = KubeObject & { readonly status?: { readonly conditions?: readonly Condition[] } };
const nodeKind = { apiVersion: 'v1', kind: 'Node' } as const;

/** Forgets the password of the node: the next host that joins under the name brings a new one. */
export const readoptNode: Run = async (context) => {
  const { life, stdout, stderr } = context;
  const { values: config, operands } = await loadFor(nodeReadoptConfig, context, 1);
  const name = operands[0]?.toLowerCase();
  if (name === undefined) throw fail('argument-missing', { command: 'node readopt', what: 'the name of a node' });
  const { client } = await connectAsAdministrator('node readopt', { paths: pathsOf(config), life });
  const { signal } = life;
  const node = await client.find<Node>({ ...nodeKind, name }, { signal });
  const forgotten = await client.delete(nodePasswordRef(name), { signal });
  if (node === undefined && !forgotten) throw await unknownNode(client, name, signal);
  if (!forgotten) {
    stdout.write(`No password is kept for ${name}: a host with a valid token can join under this name as it is.\n`);
    return 0;
  }
  stdout.write(
    `The password of ${name} is forgotten. The next host that joins under this name with a valid token has it: start rfo there now.\n`,
  );
  if (isReady(node)) {
    stderr.write(`rfo: the node ${name} is Ready: a host runs under this name. If it is not the one to be adopted, stop it first.\n`);
  }
  return 0;
};

function isReady(node: Node | undefined): boolean {
  return node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

async function unknownNode(client: KubeClient, name: string, signal: AbortSignal): Promise<Error> {
  const { items } = await client.list<Node>(nodeKind, { signal });
  const near = nearest(
    name,
    items.map(({ metadata }) => metadata.name),
  );
  const all = 'All nodes: rfo kubectl get nodes';
  return fail('node-unknown', { name, suggestion: near === undefined ? all : `Did you mean "${near}"? ${all}` });
}
