import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { checkServiceBundle, elementsOf } from './service-bundle.testing.ts';
import { renderSmfManifest, renderSmfMethod } from './smf.ts';
import { type UnitOptions, unitDefaults } from './unit.ts';

const run = promisify(execFile);
const options = (given: Partial<UnitOptions> = {}): UnitOptions => ({ ...unitDefaults, role: 'server', ...given });
const variants: Readonly<Record<string, UnitOptions>> = {
  'a server': options(),
  'a server outside the cluster': options({ outside: true, args: ['--debug', '--tls-san=api.example.com'] }),
  'an agent': options({ role: 'agent', program: '/opt/ooce/bin/rfo' }),
  'a CA': options({ role: 'ca', caDir: '/opt/ooce/etc/ca', args: ['--address=0.0.0.0'] }),
};
const dtd = '/usr/share/lib/xml/dtd/service_bundle.dtd.1';

describe('the SMF manifest', () => {
  for (const [what, variant] of Object.entries(variants)) {
    it(`of ${what} is a service bundle`, () => void checkServiceBundle(renderSmfManifest(variant)));

    it(`of ${what} meets the DTD of illumos`, { skip: !existsSync(dtd) && 'this host has no DTD of SMF' }, () => {
      execFileSync('xmllint', ['--noout', '--dtdvalid', dtd, '-'], { input: renderSmfManifest(variant) });
    });
  }

  it('starts what is configured, and again when it ends', () => {
    const bundle = checkServiceBundle(renderSmfManifest(variants['a server outside the cluster'] ?? options()));
    const values = Object.fromEntries(elementsOf(bundle, 'propval').map(({ attributes: { name = '', value } }) => [name, value]));
    assert.deepEqual(values, {
      duration: 'child',
      ignore_error: 'core,signal',
      command: '/usr/local/bin/rfo server --disable-agent --debug --tls-san=api.example.com',
      stop_seconds: '90',
    });
    const methods = elementsOf(bundle, 'exec_method').map(({ attributes: { name, exec, timeout_seconds: limit } }) => [name, exec, limit]);
    assert.deepEqual(methods, [
      ['start', '/lib/svc/method/rfo-server start', '0'],
      ['stop', '/lib/svc/method/rfo-server stop %{restarter/contract}', '100'],
    ]);
  });

  it('of a CA waits for its certificate, has no rights beyond its files, and can be refreshed', () => {
    const bundle = checkServiceBundle(renderSmfManifest(variants['a CA'] ?? options()));
    const awaited = elementsOf(bundle, 'service_fmri').map(({ attributes }) => attributes.value);
    assert.ok(awaited.includes('file://localhost/opt/ooce/etc/ca/ca.pem'));
    assert.equal(elementsOf(bundle, 'method_credential')[0]?.attributes.privileges, 'basic');
    assert.deepEqual(
      elementsOf(bundle, 'exec_method').map(({ attributes }) => attributes.name),
      ['start', 'stop', 'refresh'],
    );
  });

  it('that is wrong does not pass: the check above can fail', () => {
    const manifest = renderSmfManifest(options());
    const wrong = (from: string | RegExp, to: string, why: RegExp): void => {
      assert.notEqual(manifest.replace(from, to), manifest);
      assert.throws(() => checkServiceBundle(manifest.replace(from, to)), { message: why });
    };
    wrong('enabled="false"', 'enabled="no"', /@enabled/);
    wrong(' timeout_seconds="0"', '', /attributes are missing/);
    wrong('<single_instance/>', '<single_instance/><single_instance/>', /service holds/);
    wrong('<stability value="Evolving"/>', '<stable value="Evolving"/>', /service holds/);
    wrong('</service>', '', /closed first/);
  });
});

describe('the method script', () => {
  it('is a script that the shells of illumos and of this host can read', async () => {
    for (const variant of Object.values(variants)) {
      for (const shell of ['dash', 'bash']) {
        const check = run(shell, ['-n', '-']);
        check.child.stdin?.end(renderSmfMethod(variant));
        await check;
      }
    }
  });

  it('becomes the program, and stops it by the signal that ends its children too', { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rfo-smf-'));
    try {
      // SMF itself is not here: its functions and svcprop are stood in for, the script and the process are real.
      const program = join(folder, 'program');
      const include = join(folder, 'smf_include.sh');
      const script = join(folder, 'method');
      await writeFile(
        program,
        `#!/bin/sh\ntrap 'echo interrupted > ${folder}/end; exit 0' INT\necho "$@" > ${folder}/begin\nwhile :; do sleep 0.1; done\n`,
      );
      await writeFile(
        include,
        `SMF_EXIT_OK=0 SMF_EXIT_ERR_FATAL=95 SMF_EXIT_ERR_CONFIG=96\nsmf_kill_contract() { echo "$@" >> ${folder}/killed; }\n`,
      );
      await writeFile(
        join(folder, 'svcprop'),
        `#!/bin/sh\ncase "$2" in rfo/command) echo '${program}\\ server\\ --debug' ;; *) echo 30 ;; esac\n`,
      );
      await writeFile(join(folder, 'ps'), '#!/bin/sh\necho " 77"\n');
      const text = renderSmfMethod(options())
        .replace('/lib/svc/share/smf_include.sh', include)
        .replaceAll('/usr/bin/svcprop', join(folder, 'svcprop'))
        .replaceAll('/usr/bin/ps', join(folder, 'ps'))
        .replaceAll('/var/run/', `${folder}/`);
      await writeFile(script, text.replace('#!/sbin/sh', '#!/bin/sh'));
      await Promise.all(['program', 'svcprop', 'ps', 'method'].map((name) => chmod(join(folder, name), 0o755)));

      const started = execFile(script, ['start']);
      const ended = new Promise<number | null>((resolve) => started.once('exit', resolve));
      const begun = async (): Promise<string> => await readFile(join(folder, 'begin'), 'utf8').catch(() => '');
      while ((await begun()) === '') await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(await begun(), 'server --debug\n');
      assert.equal(Number(await readFile(join(folder, 'rfo-server.pid'), 'utf8')), started.pid);
      await run(script, ['stop', '77']);
      assert.equal(await ended, 0);
      assert.equal(await readFile(join(folder, 'end'), 'utf8'), 'interrupted\n');
      assert.equal(await readFile(join(folder, 'killed'), 'utf8'), '77 TERM 1 5\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
