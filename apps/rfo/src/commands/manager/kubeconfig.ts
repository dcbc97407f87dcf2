// `rfo manager kubeconfig` and `rfo manager credential`: kubectl in the clusters of the manager.
import { fail, systemClock, systemCode, writeFileAtomic } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { openManager } from './client.ts';
import { fieldOf, managerObject, renderData } from './output.ts';
import { type Credential, type ManagerState, readState, writeState } from './state.ts';
import { madeToken } from './tokens.ts';

const answer = z.object({ kubeconfig: z.looseObject({}), tokens: z.array(managerObject) });

/** One file for one cluster, several or all. */
export const writeKubeconfig: Run = async (context) => {
  const { values } = loadFlags((await loadManagerCliOptions()).managerKubeconfigConfig, context);
  const { cluster, all, exec, ttl, out } = values;
  if (cluster.length === 0 && !all)
    throw fail('argument-missing', { command: 'manager kubeconfig', what: 'clusters: --cluster NAME, or --all' });
  const { client } = await openManager(context);
  const body = {
    ...(!all && { clusters: cluster }),
    exec,
    ...(ttl !== undefined && { seconds: Math.round(ttl / 1000) }),
    ...(values['read-only'] && { readOnly: true }),
  };
  const { kubeconfig, tokens } = await client.call(answer, { method: 'POST', path: '/kubeconfigs', body });
  const text = await renderData(kubeconfig, 'yaml');
  if (out === '-') context.stdout.write(text);
  else {
    await writeFileAtomic(out, text, 0o600).catch((error: unknown) => {
      throw fail('output-unwritable', { file: out, problem: systemCode(error) ?? String(error) }, error);
    });
  }
  for (const { name, spec } of tokens) context.stderr.write(`Its token ${name} is good until ${String(fieldOf(spec, 'expiresAt'))}.\n`);
  return 0;
};

/** Seconds that a credential for kubectl is good for: as long as the manager would still honour it after its user has gone home. */
const credentialSeconds = 3600;
/** Milliseconds before its end at which it is replaced: what kubectl has begun should still go through. */
const replacedBefore = 60_000;

/**
 * What kubectl runs to get a credential (client.authentication.k8s.io/v1). It is kept beside the session until it expires, since kubectl asks
 * for it anew each time that it runs.
 */
export const printCredential: Run = async (context) => {
  const { values } = loadFlags((await loadManagerCliOptions()).managerCredentialConfig, context);
  const { client, state } = await openManager(context);
  const { server: wanted, cluster } = values;
  if (wanted !== undefined && wanted !== state.server) throw fail('manager-other-server', { wanted, server: state.server });
  const key = cluster ?? '';
  const kept = state.credentials?.[key];
  const now = systemClock.now();
  if (kept !== undefined && Date.parse(kept.expiresAt) - replacedBefore > now) {
    context.stdout.write(execCredential(kept));
    return 0;
  }
  const body = {
    kind: 'kubeconfig',
    description: 'kubectl by rfo manager credential',
    seconds: credentialSeconds,
    ...(cluster !== undefined && { clusters: [cluster] }),
  };
  const { token, secret } = await client.call(madeToken, { method: 'POST', path: '/tokens', body });
  const made: Credential = { name: token.name, token: secret, expiresAt: z.parse(z.string(), fieldOf(token.spec, 'expiresAt')) };
  // Others may have come in between: another kubectl for another cluster, or somebody who signed in anew.
  const latest = await readState(context.env);
  if (latest?.token === state.token) await writeState(context.env, { ...latest, credentials: { ...unexpired(latest, now), [key]: made } });
  context.stdout.write(execCredential(made));
  return 0;
};

function unexpired({ credentials = {} }: ManagerState, now: number): Readonly<Record<string, Credential>> {
  return Object.fromEntries(Object.entries(credentials).filter(([, { expiresAt }]) => Date.parse(expiresAt) > now));
}

function execCredential({ token, expiresAt }: Credential): string {
  const status = { token, expirationTimestamp: expiresAt.replace(/\.\d+Z$/, 'Z') };
  return `${JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })}\n`;
}
