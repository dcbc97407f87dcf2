// Kubeconfigs: one file for one cluster, several or all, by a token or by the exec plugin.
import { fail } from '@rfo/foundation';
import * as z from 'zod/mini';
import { readAgentSettings } from '../../clusters/agent-settings.ts';
import type { Caller } from '../../identity/caller.ts';
import { managerKinds } from '../../objects/schema.ts';
import { newName } from '../object-routes.ts';
import type { ApiParts } from '../parts.ts';
import { renderKubeconfig } from '../render-kubeconfig.ts';
import { type Route, route } from '../route.ts';
import { viewOf } from '../views.ts';
import { unknownObject } from '../write-object.ts';
import { tokenView } from './tokens.ts';

const wish = z.object({
  /** Unless given: all that one may enter. */
  clusters: z.optional(z.array(newName).check(z.minLength(1), z.maxLength(1000))),
  /** Without a token: kubectl asks the program rfo for one each time. */
  exec: z.prefault(z.boolean(), false),
  readOnly: z.optional(z.boolean()),
  /** How long its token shall last. */
  seconds: z.optional(z.int().check(z.gte(1))),
});

export function kubeconfigRoutes({ objects, identity, rights, authority }: ApiParts): readonly Route[] {
  return [
    route({
      ...{ method: 'POST', path: '/kubeconfigs', tag: 'Kubeconfig', status: 201, access: { kind: 'self' }, recorded: 'refusals' },
      summary: 'Make a kubeconfig; its token is good for the clusters in it alone and is answered this once',
      body: wish,
      answer: z.object({ kubeconfig: z.record(z.string(), z.unknown()), token: z.optional(tokenView) }),
      handle: async ({ caller, body }) => {
        const { exec, readOnly, seconds } = body;
        const settings = readAgentSettings(objects, authority);
        const server = settings?.servers[0];
        if (settings === undefined || server === undefined) throw fail('server-url-unknown', {});
        const clusters = chosen(caller, body.clusters);
        const common = { server, ca: settings.ca, clusters };
        if (exec) return { kubeconfig: renderKubeconfig({ ...common, token: undefined }) };
        const description = `kubeconfig of ${clusters.length === 1 ? clusters[0] : `${clusters.length} clusters`}`;
        const { token, credential } = await identity.createToken({ caller, kind: 'kubeconfig', description, clusters, readOnly, seconds });
        return { kubeconfig: renderKubeconfig({ ...common, token: credential }), token: viewOf(token) };
      },
    }),
  ];

  function chosen(caller: Caller, wanted: readonly string[] | undefined): readonly string[] {
    const known = objects.clusters.list().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const names = known.map(({ metadata }) => metadata.name);
    const open = names.filter((name) => rights.in(caller, name) !== undefined).sort();
    if (wanted === undefined) {
      if (open.length === 0) throw fail('api-request-invalid', { problem: 'there is no cluster that you may enter' });
      return open;
    }
    // Those that are not there and those that are not his are told apart to nobody.
    const missing = wanted.find((name) => !open.includes(name));
    if (missing !== undefined) throw unknownObject(managerKinds.clusters, missing);
    return [...new Set(wanted)];
  }
}
