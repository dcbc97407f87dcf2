// `rfo ca gencert`: a key, and a certificate for it.
import { fail, systemClock } from '@rfo/foundation';
import { loadCaOptions } from '@rfo/schema';
import { CfsslError } from '../../ca/cfssl-error.ts';
import { createSelfSigned } from '../../ca/signing/create-self-signed.ts';
import { readCsrJson } from '../../ca/signing/csr-json.ts';
import { makeRequest } from '../../ca/signing/make-request.ts';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { readOperand } from './operand.ts';
import { refusable, renderOutcome, sign } from './signing.ts';

/** As `cfssl gencert`: reads a request in JSON, prints JSON with `cert`, `csr` and `key`. The key never leaves this host but by that. */
export const generateCertificate: Run = async (context) => {
  const { values: config, operands } = loadFlags((await loadCaOptions()).caGencertConfig, context, 1);
  const { env, stdout, stderr } = context;
  if (config.initca && config['ca-key'] !== undefined)
    throw fail('argument-unexpected', { command: 'ca gencert', argument: '--ca-key with --initca: a new CA has a new key' });
  const text = await readOperand('ca gencert', operands[0], 'the file of a request in JSON, or -', env);
  const outcome = await refusable(async () => {
    const read = readCsrJson(Buffer.from(text));
    const wish = config.cn === undefined ? read : { ...read, commonName: config.cn };
    if (config.initca) {
      const { certificatePem: cert, requestPem: csr, keyPem: key } = await createSelfSigned(wish, { clock: systemClock });
      return { cert, csr, key };
    }
    if (wish.ca !== undefined) throw new CfsslError(400, 'ca section only permitted in initca');
    const { requestPem: csr, keyPem: key } = await makeRequest(wish);
    if (wish.hosts.length === 0 && config.hostname.length === 0)
      stderr.write('rfo: the request names no hosts: the certificate is of no use to a server.\n');
    return { cert: await sign({ certificateRequest: csr }, { config, context, act: 'gencert' }), csr, key };
  });
  stdout.write(renderOutcome(outcome));
  return 0;
};
