// `rfo ca crl`: writes the list of revoked certificates, as the running CA gives it.
import { fail, systemClock, writeFileAtomic } from '@rfo/foundation';
import { loadCaOptions } from '@rfo/schema';
import { openAuthorities } from '../../ca/keys/authority.ts';
import { createStatus } from '../../ca/status/status.ts';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { openCa } from './open.ts';
import { plainKeyId } from './serials.ts';

/** Signs a list of its own number: what was fetched before stays good until its end. */
export const writeRevocationList: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caCrlConfig, context);
  const { life, log, env } = context;
  const { store } = await openCa('ca crl', config, context);
  const { present, previous } = await openAuthorities(config.dir, env);
  const authorities = previous === undefined ? [present] : [present, previous];
  const status = await createStatus({ store, authorities, life, log, clock: systemClock });
  const keyId = config.aki === undefined ? present.keyId : plainKeyId(config.aki);
  const crl = await status.crl(keyId);
  if (crl === undefined) throw fail('ca-key-unknown', { key: keyId, known: authorities.map((authority) => authority.keyId).join(', ') });
  const bytes = config.pem ? crl.pem : crl.der;
  if (config.out === '-') process.stdout.write(bytes);
  else await writeFileAtomic(config.out, bytes, 0o644);
  return 0;
};
