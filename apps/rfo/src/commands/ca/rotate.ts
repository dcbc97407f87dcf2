// `rfo ca rotate`: replaces the key of the certificate authority.
import { systemClock } from '@rfo/foundation';
import { loadCaOptions } from '@rfo/schema';
import { openAuthorities } from '../../ca/keys/authority.ts';
import { keyAlgorithmOf } from '../../ca/keys/make-authority.ts';
import { pinOf } from '../../ca/keys/pin.ts';
import { beginRotation, finishRotation } from '../../ca/keys/rotate.ts';
import { readConfigFile } from '../../ca/keys/signing-config.ts';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { localUser, openCa } from './open.ts';

const reload = '  systemctl reload rfo-ca              (or SIGHUP to a running rfo ca serve): it signs with the new key from then on';

/** Begins the overlap of the old key and the new, tells how it stands, or ends it. Every form may be given again. */
export const rotateAuthority: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caRotateConfig, context);
  const { env, stdout } = context;
  const { paths, store, audit } = await openCa('ca rotate', config, context);
  const common = { dir: config.dir, store, env, clock: systemClock };
  if (config.finish) {
    const ended = await finishRotation(common, config.force);
    if (ended === undefined) {
      stdout.write('There is no overlap: one key signs and answers.\n');
      return 0;
    }
    await audit.write({ act: 'rotate-finish', user: localUser(), authorityKeyId: ended.keyId, result: 'done' });
    stdout.write(`The old key ${ended.keyId} is deleted, and ${paths.bundle} holds the new root alone.\n\n${reload}\n`);
    return 0;
  }
  const { present: old } = await openAuthorities(config.dir, env);
  const { defaultProfile: urls } = await readConfigFile(paths.config, { env });
  const { present, previous, begun } = await beginRotation({
    ...common,
    algorithm: config['key-algorithm'] ?? keyAlgorithmOf(old),
    lifetime: config.validity,
    root: config.root,
    urls,
  });
  if (begun) await audit.write({ act: 'rotate', user: localUser(), authorityKeyId: present.keyId, result: 'done' });
  stdout.write(
    [
      begun ? 'There is a new key, and the old one answers still for what it signed.' : 'The overlap goes on; nothing was changed.',
      '',
      `  new pin   ${pinOf(present.certificate)}`,
      `  old pin   ${pinOf(previous.certificate)}`,
      '',
      'What is to be done, in this order:',
      '',
      reload,
      `  give ${paths.bundle} to everybody who trusts this CA: it holds both roots`,
      '  rfo ca list -o json                  nodes renew by themselves; the rest is to be issued anew',
      '  rfo ca rotate --finish               when nothing of the old key is in use any more',
      '',
    ].join('\n'),
  );
  return 0;
};
