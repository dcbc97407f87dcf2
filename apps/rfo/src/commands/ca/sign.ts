// `rfo ca sign`: a certificate for a signing request that is there.
import { fail } from '@rfo/foundation';
import { loadCaOptions } from '@rfo/schema';
import { goSlice, goString, goStruct, readRequest } from '../../ca/api/go-types.ts';
import { nameJson, toNameEntry } from '../../ca/signing/csr-json.ts';
import type { SubjectWish } from '../../ca/signing/types.ts';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { readOperand } from './operand.ts';
import { refusable, renderOutcome, sign } from './signing.ts';

/** As `cfssl sign`: prints JSON with `cert` and `csr`. The request and the subject may be named by flags or as arguments. */
export const signRequest: Run = async (context) => {
  const { values: config, operands } = loadFlags((await loadCaOptions()).caSignConfig, context, 2);
  const { env, stdout } = context;
  const named = config.csr === undefined ? operands : [config.csr, ...operands];
  if (named.length > 2) throw fail('argument-unexpected', { command: 'ca sign', argument: named[2] ?? '' });
  const csr = await readOperand('ca sign', named[0], 'the file of a signing request', env);
  const subjectFile = config.subject ?? named[1];
  const cert = await refusable(async () => {
    const subject =
      subjectFile === undefined ? undefined : readSubjectJson(Buffer.from(await readOperand('ca sign', subjectFile, 'a subject', env)));
    return await sign({ certificateRequest: csr, ...(subject !== undefined && { subject }) }, { config, context, act: 'sign' });
  });
  stdout.write(renderOutcome({ cert, csr }));
  return 0;
};

/** The JSON of a subject: the fields of cfssl's `signer.Subject`. @throws CfsslError 400 */
function readSubjectJson(text: Uint8Array): SubjectWish {
  const { CN, names, SerialNumber } = readRequest(
    text,
    goStruct('signer.Subject', { CN: goString, names: goSlice(nameJson), SerialNumber: goString }),
  );
  return { CN, names: (names ?? []).map(toNameEntry), SerialNumber };
}
