import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../harness/eventually.ts';
import { rfoCommand, untilLine } from '../../harness/node.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { type Host, must, type RunResult, repository, type Service } from '../../lab/index.ts';
import { type Load, startLoad } from './load.ts';

const folder = '/var/lib/rancher/rfo/ca';
const megabytes = 24;
const kills = 10;
const connections = 4;

export const scenario: Scenario = {
  name: 'ca-faults',
  about: 'a CA that is killed under load and whose disk runs full gives out nothing that it does not know, and comes back by itself',
  short: false,
  timeout: 300_000,
  run: async (context) => {
    const { lab, step, life, note } = context;
    const { signal } = life;
    const host = await lab.addHost({ name: 'ca' });
    const rfo = (...args: readonly string[]): Promise<RunResult> => host.exec([...rfoCommand, 'ca', ...args], { signal, timeout: 60_000 });
    const rfoMust = (...args: readonly string[]): Promise<string> => host.must([...rfoCommand, 'ca', ...args], { signal, timeout: 60_000 });

    await step(`a CA is made on a disk of ${megabytes} MB`, async () => {
      const image = '/var/lib/rancher/ca.img';
      const mount = `mkdir -p ${folder}; truncate -s ${megabytes}M ${image}; mkfs.ext4 -q -m0 ${image}; mount -o loop ${image} ${folder}; chmod 0700 ${folder}`;
      await host.must(['sh', '-ec', mount]);
      await rfoMust('init', '--host', '127.0.0.1');
      const wish = JSON.stringify({ CN: 'load', key: { algo: 'ecdsa', size: 256 } });
      const { csr } = JSON.parse(await host.must([...rfoCommand, 'ca', 'gencert', '-initca', '-'], { input: wish, signal })) as {
        csr: string;
      };
      await host.writeFile('/root/load.csr', csr);
    });
    const service = await step('it serves, and is started again whenever it ends', async () => {
      // What `Restart=always` of its unit does.
      const serve = ['sh', '-c', 'while :; do "$@"; echo "ended with $?"; done', 'sh', ...rfoCommand, 'ca', 'serve'];
      const started = await host.spawn('rfo-ca', serve);
      await untilLine(started, / ca: ready/, { signal, within: 60_000 });
      return started;
    });
    const config = JSON.parse(await host.readFile(join(folder, 'ca-config.json'))) as { auth_keys: { key1: { key: string } } };
    const wish = {
      url: 'https://127.0.0.1:8888',
      caFile: join(folder, 'ca.pem'),
      key: config.auth_keys.key1.key,
      connections,
      requestFile: '/root/load.csr',
    };
    const load = await startLoad(host, wish, signal);
    await load.untilMore();

    await step(`it is killed ${kills} times while it signs`, async () => {
      for (let kill = 0; kill < kills; kill++) {
        // Each time at another moment of its work.
        await delay(40 + 35 * kill, undefined, { signal });
        await killServer(service);
        await load.untilMore();
      }
      note(`${load.given().length} certificates, ${load.failures().length} requests that failed`);
      assert.ok(load.failures().length >= kills, 'a killed server has failed nobody');
    });
    await step('all that was handed out is in the database, once', () => assertKnown(load, rfoMust));

    await step('the disk runs full, and nothing is handed out any more', async () => {
      await host.exec(['dd', 'if=/dev/zero', `of=${folder}/filler`, 'bs=64k']);
      note(await load.untilRefused(/^fail \d{3} /));
      await assertStatus(host, rfo, rfoMust);
    });
    await step('with space again it signs by itself, as the same process', async () => {
      const before = await serverPid(service);
      await host.must(['rm', `${folder}/filler`]);
      await load.untilMore();
      assert.equal(await serverPid(service), before);
    });
    await step('it is killed while its disk is full, and comes back', async () => {
      await host.exec(['dd', 'if=/dev/zero', `of=${folder}/filler`, 'bs=64k']);
      await load.untilRefused(/^fail \d{3} /);
      await killServer(service);
      await host.must(['rm', `${folder}/filler`]);
      await load.untilMore();
    });

    await load.stop();
    await step('nothing is lost, and no serial number was given twice', () => assertKnown(load, rfoMust));
    await step('the audit log is whole', async () => note((await rfoMust('audit')).split('\n')[0] ?? ''));
    await step('status and lists are right at once', async () => {
      const [given] = load.given().slice(-1);
      assert.ok(given);
      const serial = BigInt(`0x${given.serial}`).toString();
      await rfoMust('revoke', '--serial', serial, '--reason', 'superseded');
      await writeCertificate(host, rfoMust, serial);
      const { code, stdout } = await rfo('ocsp', '--url', 'http://127.0.0.1:8889', '/root/leaf.pem');
      assert.deepEqual([code, /^status +revoked$/m.test(stdout)], [1, true], stdout);
      const list = await host.must(['sh', '-c', 'curl -sSf http://127.0.0.1:8889/crl.pem | openssl crl -noout -text']);
      assert.match(list, new RegExp(given.serial, 'i'));
    });
    await step('the database is sound', async () => {
      const [node = ''] = rfoCommand;
      const program = `const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync('${folder}/certdb.db', { readOnly: true });
        console.log(db.prepare('PRAGMA integrity_check').all().map((row) => row.integrity_check).join());`;
      assert.equal(await host.must([node, '--disable-warning=ExperimentalWarning', '-e', program]), 'ok\n');
    });
    await tryUnit(context);
  },
};

/** The unit as it is installed: closed in, told when it is ready, read again, and started anew when it dies. */
async function tryUnit({ lab, step, life, note }: ScenarioContext): Promise<void> {
  const { signal } = life;
  const host = await step('a host with systemd boots', async () => {
    const made = await lab.addFullHost({ name: 'unit' });
    await made.untilBooted();
    return made;
  });
  await step('its unit serves within what systemd leaves it, and is back after it was killed', async () => {
    await installLibrary(host);
    await host.writeFile('/usr/local/bin/rfo', `#!/bin/sh\nexec ${rfoCommand.join(' ')} "$@"\n`, '0755');
    await host.writeFile('/etc/systemd/system/rfo-ca.service', await readFile(join(repository, 'deploy/systemd/rfo-ca.service')));
    await host.must(['/usr/local/bin/rfo', 'ca', 'init', '--host', '127.0.0.1'], { signal });
    await host.systemctl('daemon-reload');
    await host.systemctl('start', 'rfo-ca');
    const pid = (await host.systemctl('show', '-P', 'MainPID', 'rfo-ca')).trim();
    await host.systemctl('reload', 'rfo-ca');
    await host.must(['kill', '-9', pid]);
    const again = async (): Promise<string | undefined> => {
      const state = await host.exec(['systemctl', 'show', '-P', 'MainPID', '-P', 'ActiveState', 'rfo-ca']);
      const [next, active] = state.stdout.trim().split('\n');
      return active === 'active' && next !== '0' && next !== pid ? next : undefined;
    };
    await eventually('the unit to be active again', again, { signal });
    const said = await host.must(['journalctl', '--no-pager', '-o', 'cat', '-u', 'rfo-ca']);
    assert.match(said, /configuration and keys were read again/);
    const memory = await host.systemctl('show', '-P', 'MemoryCurrent', 'rfo-ca');
    note(`ready with ${/ready rss="(.*)"/.exec(said)?.[1]}, its cgroup holds ${Math.round(Number(memory) / 1024 / 1024)} MB`);
    await host.systemctl('stop', 'rfo-ca');
    assert.match(await host.must(['journalctl', '--no-pager', '-o', 'cat', '-u', 'rfo-ca']), / ca: ended/);
  });
}

/** The one library that Node needs and a minimal Debian lacks. */
async function installLibrary(host: Host): Promise<void> {
  const [node = ''] = rfoCommand;
  const [, path] = /libatomic\.so\.1 => (\S+)/.exec(await must(['ldd', node])) ?? [];
  if (path !== undefined) await host.writeFile('/usr/lib/libatomic.so.1', await readFile(path), '0755');
}

type Rfo = (...args: readonly string[]) => Promise<string>;

/** Every certificate that a client has is in the database as it is, and each serial number is of one certificate. */
async function assertKnown(load: Load, rfo: Rfo): Promise<void> {
  // Those of this moment: more are handed out while the database is read.
  const given = [...load.given()];
  const records = JSON.parse(await rfo('list', '--all', '--limit', '1000000', '-o', 'json')) as {
    readonly serial: string;
    readonly pem: string;
  }[];
  const known = new Map(records.map(({ serial, pem }) => [serial, new X509Certificate(pem).fingerprint256.replaceAll(':', '')]));
  assert.equal(known.size, records.length, 'a serial number is there twice');
  const unknown = given.filter(({ serial, fingerprint }) => known.get(BigInt(`0x${serial}`).toString()) !== fingerprint);
  assert.deepEqual(unknown, [], `of ${given.length} certificates that were handed out the database does not know these`);
  assert.equal(new Set(given.map(({ serial }) => serial)).size, given.length, 'a serial number was given twice');
}

/** A full disk takes nothing from who asks about what there is. */
async function assertStatus(host: Host, rfo: (...args: readonly string[]) => Promise<RunResult>, rfoMust: Rfo): Promise<void> {
  const [record] = JSON.parse(await rfoMust('list', '--limit', '1', '-o', 'json')) as { readonly serial: string; readonly pem: string }[];
  assert.ok(record);
  await host.writeFile('/root/leaf.pem', record.pem);
  const { code, stdout, stderr } = await rfo('ocsp', '--url', 'http://127.0.0.1:8889', '/root/leaf.pem');
  assert.deepEqual([code, /^status +good$/m.test(stdout)], [0, true], stdout + stderr);
}

async function writeCertificate(host: Host, rfo: Rfo, serial: string): Promise<void> {
  const [record] = JSON.parse(await rfo('list', '--serial', serial, '-o', 'json')) as { readonly pem: string }[];
  await host.writeFile('/root/leaf.pem', record?.pem ?? '');
}

/** Of the server that runs now, out here: the only child of the shell that starts it. */
async function serverPid({ pid }: Service): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}

async function killServer(service: Service): Promise<void> {
  process.kill(await serverPid(service), 'SIGKILL');
}
