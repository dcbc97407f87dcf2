// Kubeconfigs: one file for one cluster, several or all, by a token or by the exec plugin.
import { fail } from '@rfo/foundation';
import type { Cluster } from '@rfo/schema';
import * as z from 'zod/mini';
import { readAgentSettings } from '../../clusters/agent-settings.ts';
import type { Caller } from '../../identity/caller.ts';
import { managerKinds } from '../../objects/schema.ts';
import { newName } from '../object-routes.ts';
import type { ApiParts } from '../parts.ts';
import { type Direct, renderKubeconfig } from '../render-kubeconfig.ts';
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
      summary:
        'Make a kubeconfig; its token is good for the clusters in it alone and is answered this once; those with an endpoint of their own have one each',
      body: wish,
      answer: z.object({ kubeconfig: z.record(z.string(), z.unknown()), tokens: z.array(tokenView) }),
      handle: async ({ caller, body }) => {
        const { exec, readOnly, seconds } = body;
        const settings = readAgentSettings(objects, authority);
        const server = settings?.servers[0];
        if (settings === undefined || server === undefined) throw fail('server-url-unknown', {});
        const names = chosen(caller, body.clusters);
        const common = { server, ca: settings.ca };
        // A cluster could not hold a token to reading alone.
        const reads = (readOnly ?? false) || caller.token.readOnly;
        const directs = new Map(names.map((name) => [name, reads ? undefined : directOf(objects.clusters.get(name))]));
        const found = names.map((name) => ({ name, direct: directs.get(name) }));
        if (exec) return { kubeconfig: renderKubeconfig({ ...common, clusters: found, token: undefined }), tokens: [] };
        const made = async (of: readonly string[]) => {
          const description = `kubeconfig of ${of.length === 1 ? of[0] : `${of.length} clusters`}`;
          return await identity.createToken({ caller, kind: 'kubeconfig', description, clusters: of, readOnly, seconds });
        };
        // No cluster is shown a token that opens another one.
        const alone = names.length === 1 ? [] : names.filter((name) => directs.get(name) !== undefined);
        const shared = names.filter((name) => !alone.includes(name));
        const forAll = shared.length === 0 ? undefined : await made(shared);
        const own = new Map<string, Awaited<ReturnType<typeof made>>>();
        for (const name of alone) own.set(name, await made([name]));
        const clusters = found.map((each) => ({ ...each, token: own.get(each.name)?.credential }));
        return {
          kubeconfig: renderKubeconfig({ ...common, clusters, token: forAll?.credential }),
          tokens: [...(forAll ? [forAll] : []), ...own.values()].map(({ token }) => viewOf(token)),
        };
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

/** The way to a cluster that does not lead through the manager, as far as it has one. */
function directOf(cluster: Cluster | undefined): Direct | undefined {
  const endpoint = cluster?.spec.authorizedEndpoint;
  if (cluster === undefined || endpoint?.enabled !== true || cluster.status?.endpoint === undefined) return undefined;
  const { address } = endpoint;
  const servers =
    address === undefined ? cluster.status.endpoint.servers : [`https://${/:\d+$/.test(address) ? address : `${address}:6443`}`];
  return servers.length === 0 ? undefined : { servers, ca: endpoint.caBundle ?? cluster.status.caBundle };
}
