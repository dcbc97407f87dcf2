/** The issuer of a CA's folder, as `rfo ca serve` makes it. */
import { join } from 'node:path';
import { systemClock } from '@rfo/foundation';
import { openAuthority } from '../keys/authority.ts';
import { readConfigFile } from '../keys/signing-config.ts';
import { strict } from '../signing/compat.ts';
import { createIssuer } from '../signing/create-issuer.ts';
import type { Issuer } from '../signing/types.ts';

export async function loadIssuer(folder: string): Promise<Issuer> {
  const authority = await openAuthority({ ca: join(folder, 'ca.pem'), caKey: join(folder, 'ca-key.pem') }, {});
  const config = await readConfigFile(join(folder, 'ca-config.json'), { env: {} });
  return createIssuer({ ...authority, config, clock: systemClock, compat: strict });
}
