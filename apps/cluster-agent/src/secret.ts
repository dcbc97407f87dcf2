/** What the agents of a cluster keep in common: their token, and where the manager is. It lies in one Secret of their own cluster. */
import { fail } from '@rfo/foundation';
import { isConflict, type KubeClient, type ObjectRef, readEntry, renderEntries, type Secret, secretKind } from '@rfo/kube';
import { type AgentSettings, agentName, agentNamespace, agentSecretKeys, parseAgentSettings } from '@rfo/schema';

export type Kept = { readonly token: string; readonly settings: AgentSettings };

const ref: ObjectRef = { ...secretKind, namespace: agentNamespace, name: agentName };

export type AgentSecret = {
  /** As it is now. Throws agent-settings where it is missing or holds what cannot be used, and what the API says. */
  readonly read: (signal: AbortSignal) => Promise<Kept>;
  /** Changes what is given, and leaves the rest to others. Throws what the API says. */
  readonly write: (change: Partial<Kept>, signal: AbortSignal) => Promise<void>;
};

export function createAgentSecret(client: KubeClient): AgentSecret {
  const find = async (signal: AbortSignal): Promise<Secret> => {
    const secret = await client.find<Secret>(ref, { signal });
    if (secret === undefined) throw fail('agent-settings', { problem: `there is no Secret ${agentNamespace}/${agentName}` });
    return secret;
  };
  return {
    read: async (signal) => {
      const secret = await find(signal);
      const entry = (key: keyof typeof agentSecretKeys): string => readEntry(secret, agentSecretKeys[key]) ?? '';
      const [token, settings] = [entry('token').trim(), entry('settings')];
      if (token === '')
        throw fail('agent-settings', { problem: `the Secret ${agentNamespace}/${agentName} holds no ${agentSecretKeys.token}` });
      return { token, settings: readSettings(settings) };
    },
    write: async ({ token, settings }, signal) => {
      for (;;) {
        const secret = await find(signal);
        const data = {
          ...secret.data,
          ...renderEntries({
            ...(token !== undefined && { [agentSecretKeys.token]: token }),
            ...(settings !== undefined && { [agentSecretKeys.settings]: JSON.stringify(settings) }),
          }),
        };
        try {
          await client.replace({ ...secret, data }, { signal });
          return;
        } catch (error) {
          // Another agent of the cluster has written: what it wrote of the rest has to stay.
          if (!isConflict(error)) throw error;
        }
      }
    },
  };
}

function readSettings(text: string): AgentSettings {
  try {
    return parseAgentSettings(JSON.parse(text));
  } catch (error) {
    throw fail('agent-settings', { problem: `${agentSecretKeys.settings} of the Secret is none that a manager renders` }, error);
  }
}
