/** `bundle`: a certificate with the intermediates that make it verifiable, and what is to be known about them. */
import { bundleOfHost } from '../../bundle/bundle-of-host.ts';
import type { Bundler } from '../../bundle/bundler.ts';
import { readPrivateKey } from '../../bundle/read-key.ts';
import { type RenderedBundle, renderBundle } from '../../bundle/render-bundle.ts';
import { unverifiable } from '../../bundle/verify-problem.ts';
import { hostProblem } from '../../certinfo/host-match.ts';
import { readCertificates } from '../../certinfo/read-certificates.ts';
import { readFields } from '../../certinfo/read-fields.ts';
import { CfsslError } from '../../cfssl-error.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Endpoint } from '../types.ts';

export function bundleEndpoint(options: { readonly bundler: Bundler; readonly outbound: Outbound }): Endpoint {
  const { bundler, outbound } = options;
  return {
    name: 'bundle',
    method: 'POST',
    handle: async ({ body, signal }) => {
      const wish = readFields(body);
      const [certificate, key = '', domain, ip] = ['certificate', 'private_key', 'domain', 'ip'].map((name) => wish.get(name));
      const flavor = wish.get('flavor') ?? '';
      if (certificate === undefined && domain === undefined) throw new CfsslError(400, 'no valid parameter sets found');
      if (certificate === undefined)
        return { result: renderBundle(await bundleOfHost(bundler, { domain: domain ?? '', ip, flavor, signal, outbound })) };
      const privateKey = key === '' ? undefined : readPrivateKey(key);
      const bundle = await bundler.bundle({ certificates: readCertificates(certificate), key: privateKey, flavor, signal });
      for (const host of [domain ?? '', ip ?? '']) {
        const problem = host === '' ? undefined : hostProblem(bundle.leaf.certificate, host);
        if (problem !== undefined) throw unverifiable(problem);
      }
      return { result: renderBundle(bundle) };
    },
  };
}

/** The `bundle` that `sign`, `authsign` and `newcert` give beside a new certificate when they are asked to. @throws CfsslError as `bundle` */
export async function bundleOfIssued(bundler: Bundler, pem: string, signal: AbortSignal): Promise<RenderedBundle> {
  return renderBundle(await bundler.bundle({ certificates: readCertificates(pem), flavor: 'optimal', signal }));
}
