// `rfo ca init`: makes a certificate authority.
import { silentLog, systemClock } from '@rfo/foundation';
import { loadCaOptions } from '@rfo/schema';
import { openAuthority } from '../../ca/keys/authority.ts';
import { caPaths } from '../../ca/keys/ca-paths.ts';
import { ensureFolderFiles } from '../../ca/keys/folder-files.ts';
import { ownHosts } from '../../ca/keys/hosts.ts';
import { initFolder } from '../../ca/keys/init.ts';
import { pinOf } from '../../ca/keys/pin.ts';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { localUser, openDatabaseOf } from './open.ts';

/** Writes the folder, then the database and the certificates that the CA needs itself; prints the pin. */
export const initAuthority: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caInitConfig, context);
  const { dir, name, organization, host, validity: lifetime, intermediate } = config;
  const hosts = host.length > 0 ? host : ownHosts();
  await initFolder({
    ...{ dir, intermediate, name, organization, lifetime, algorithm: config['key-algorithm'], ocspPort: config['ocsp-port'] },
    ...{ host: hosts[0] ?? 'localhost', env: context.env, clock: systemClock },
  });
  const paths = caPaths(dir);
  const { store, audit } = await openDatabaseOf(paths, config, context);
  await ensureFolderFiles({ dir, hosts, env: context.env }, { store, clock: systemClock, log: silentLog });
  const authority = await openAuthority(paths, context.env);
  await audit.write({ act: 'init', user: localUser(), authorityKeyId: authority.keyId, result: 'done' });
  const first = hosts[0] ?? 'localhost';
  const at = dir === defaultDir ? '' : ` --dir ${dir}`;
  context.stdout.write(
    [
      `The certificate authority is in ${dir}.`,
      '',
      `  pin          ${pinOf(authority.certificate)}`,
      `  valid until  ${new Date(authority.certificate.notAfter).toISOString()}`,
      ...(intermediate === undefined ? [] : [`  root         ${intermediate}: keep root-key.pem away from this host`]),
      '',
      `  rfo ca serve${at} --address=0.0.0.0    the API at https://${first}:${config.port}`,
      `  rfo ca token create${at} --node worker-1    lets a node have its certificates`,
      `  rfo ca info${at}`,
      '',
    ].join('\n'),
  );
  return 0;
};

const defaultDir = '/var/lib/rancher/rfo/ca';
