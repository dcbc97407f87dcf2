import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { renderSystemdUnit } from './systemd.ts';
import { type UnitOptions, unitDefaults } from './unit.ts';

const run = promisify(execFile);
const options = (given: Partial<UnitOptions> = {}): UnitOptions => ({ ...unitDefaults, role: 'server', ...given });
const analyze = '/usr/bin/systemd-analyze';
const skip = !existsSync(analyze) && 'this host has no systemd';

async function inFolder<T>(unit: string, name: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-units-'));
  try {
    const file = join(folder, name);
    await writeFile(file, unit);
    return await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the systemd unit', () => {
  for (const role of ['server', 'agent', 'ca'] as const) {
    it(`of ${role} at the usual places is the one that packages install`, async () => {
      const installed = await readFile(join(import.meta.dirname, `../../../../deploy/systemd/rfo-${role}.service`), 'utf8');
      assert.equal(renderSystemdUnit(options({ role })), installed);
    });

    it(`of ${role} is what systemd understands`, { skip }, async () => {
      const unit = renderSystemdUnit(options({ role, program: process.execPath, args: ['--debug'] }));
      await inFolder(unit, `rfo-${role}.service`, async (file) => {
        const { stdout, stderr } = await run(analyze, ['verify', '--man=no', '--recursive-errors=no', file]);
        assert.equal(stdout + stderr, '');
      });
    });
  }

  it('that is wrong does not pass: the check above can fail', { skip }, async () => {
    const unit = renderSystemdUnit(options({ program: process.execPath })).replace('KillMode=process', 'KillMode=gently');
    await inFolder(unit, 'rfo-server.service', async (file) => {
      const { stderr } = await run(analyze, ['verify', '--man=no', '--recursive-errors=no', file]).catch(
        (error: { stderr: string }) => error,
      );
      assert.match(stderr, /gently/);
    });
  });

  it('of a CA leaves it hardly any right', { skip }, async () => {
    await inFolder(renderSystemdUnit(options({ role: 'ca' })), 'rfo-ca.service', async (file) => {
      // In tenths; exit code 1 above that. What is left: it runs as root, with the network, without a system call list of its own.
      await run(analyze, ['security', '--offline=yes', '--threshold=40', file]);
    });
  });

  it('of a server outside the cluster asks for nothing that pods need', () => {
    const unit = renderSystemdUnit(options({ outside: true, args: ['--tls-san=api.example.com'] }));
    assert.match(unit, /^ExecStart=\/usr\/local\/bin\/rfo server --disable-agent --tls-san=api\.example\.com$/m);
    assert.doesNotMatch(unit, /modprobe|Delegate|killall/);
    for (const line of ['Type=notify', 'KillMode=process', 'Restart=always', 'LimitNOFILE=1048576'])
      assert.ok(unit.includes(`\n${line}\n`), line);
  });

  it('follows program, folder and time', () => {
    const unit = renderSystemdUnit(options({ role: 'ca', program: '/opt/rfo/bin/rfo', caDir: '/srv/ca', stopTimeout: 45 }));
    for (const line of [
      'ConditionPathExists=/srv/ca/ca.pem',
      'ExecStart=/opt/rfo/bin/rfo ca serve --dir=/srv/ca',
      'ReadWritePaths=/srv/ca',
      'TimeoutStopSec=45s',
    ]) {
      assert.ok(unit.includes(`\n${line}\n`), line);
    }
    assert.match(renderSystemdUnit(options({ program: '/opt/50%/rfo' })), /^ExecStart=\/opt\/50%%\/rfo server$/m);
  });
});
