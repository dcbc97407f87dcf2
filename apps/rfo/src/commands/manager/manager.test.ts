// `rfo manager …` run as a program against a real manager.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Outcome, rfo, startRfo } from '../../cli/rfo.testing.ts';
import { startTestManager, type TestManager } from './manager.testing.ts';

const main = join(import.meta.dirname, '../../main.ts');
const kubectl = join(import.meta.dirname, '../../../../../.cache/dist/bin/kubectl');
const adminPassword = 'correct horse battery';

let manager: TestManager;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rfo-cli-'));
  manager = await startTestManager();
});
after(async () => {
  await manager?.stop();
  await rm(folder, { recursive: true });
});

/** Each person has a home of his own. */
const homeOf = (person: string): Readonly<Record<string, string>> => ({ HOME: join(folder, person) });
/** @param command the words after `rfo manager`, a space between two */
const as = (person: string, command: string): Promise<Outcome> => rfo(['manager', ...command.split(' ')], homeOf(person));

async function done(person: string, command: string): Promise<string> {
  const { status, stdout, stderr } = await as(person, command);
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
}

async function refused(person: string, command: string, [status, message]: readonly [number, RegExp]): Promise<void> {
  const outcome = await as(person, command);
  assert.deepEqual([outcome.status, outcome.stdout], [status, ''], `${command}: ${outcome.stderr}`);
  assert.match(outcome.stderr, message);
}

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder, `${name}.txt`);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

const pin = (): string => `sha256:${new X509Certificate(manager.ca).fingerprint256.replaceAll(':', '').toLowerCase()}`;

test('nothing is sent to a manager that nobody has recognised, and its password is changed at the first sign-in', async () => {
  const once = await fileOf('once', `${manager.password}\n`);
  const both = await fileOf('both', `${manager.password}\n${adminPassword}\n`);
  const login = `login ${manager.address} -u admin`;
  const unconfirmed = new RegExp(`nothing says yet that ${manager.address} is your manager; .* ${pin()}\\.`);
  await Promise.all([
    refused('admin', 'whoami', [2, /^rfo: nobody is signed in to a manager here\. Sign in: rfo manager login/]),
    refused('admin', `${login} --password-file ${once}`, [2, unconfirmed]),
    refused('admin', `${login} --password-file ${once} --ca-pin sha256:${'0'.repeat(64)}`, [
      2,
      /shows no certificate with the SHA-256 sha256:0+, but/,
    ]),
    refused('admin', `${login} --password-file ${once} --system-ca`, [2, /the certificate of the manager at .* is not trusted/]),
    refused('admin', `${login} --password-file ${once} --ca-pin ${pin()}`, [1, /this password was given for one sign-in only/]),
  ]);
  assert.equal(await done('admin', `${login} --password-file ${both} --ca-pin ${pin()}`), `admin is signed in to ${manager.address}.\n`);
  const state = join(folder, 'admin/.config/rfo/manager.json');
  assert.equal((await stat(state)).mode & 0o777, 0o600);
  assert.doesNotMatch(await readFile(state, 'utf8'), new RegExp(`${adminPassword}|${manager.password}`));
  assert.match(await done('admin', 'whoami'), /^username: admin$[\s\S]*^roles:\n {2}- administrator$/m);
  assert.equal(JSON.parse(await done('admin', 'whoami -o json')).token.spec.kind, 'session');
});

test('a password is asked for without being shown, and a CA once it is confirmed', async () => {
  const command = `${process.execPath} ${main} manager login ${manager.address} --username admin`;
  const env = { PATH: process.env.PATH, NODE_DISABLE_COMPILE_CACHE: '1', ...homeOf('asked') };
  const child = spawn('script', ['-qec', command, '/dev/null'], { env });
  const answers: [RegExp, string][] = [
    [/Trust it from now on\? \(yes\/no\): $/, 'yes\r'],
    [/Password: $/, `wrong${'\u007f'.repeat(5)}${adminPassword}\r`],
  ];
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    const [question, answer] = answers[0] ?? [];
    if (question?.test(output) !== true) return;
    answers.shift();
    child.stdin.write(answer);
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, output);
  assert.match(output, new RegExp(pin()));
  assert.match(output, /admin is signed in to/);
  assert.ok(!output.includes(adminPassword) && !output.includes('wrong'), output);
});

test('a wrong password, an unknown address and what is no address are told apart', async () => {
  const wrong = await fileOf('wrong', 'not the password\n');
  const by = `-u a --password-file ${wrong}`;
  await Promise.all([
    refused('admin', `login ${manager.address} -u admin --password-file ${wrong}`, [1, /the credentials are not accepted/]),
    refused('x', `login https://localhost:1 ${by}`, [1, /the manager at https:\/\/localhost:1 cannot be reached/]),
    refused('x', `login http://localhost ${by}`, [2, /"http:\/\/localhost" is not the address of a manager/]),
    refused('x', `login ${manager.address} -u a --ca-pin ${pin()}`, [2, /Password has to be asked for, and there is no terminal/]),
    refused('admin', 'password hunter22hunter22', [2, /a command line is no place for a password/]),
  ]);
  assert.match(await done('admin', 'whoami'), /username: admin/);
});

test('users are made, given roles, kept out and let in', async () => {
  const made = await done('admin', 'users create ada --display-name Ada --group engines --role auditor');
  assert.match(made, /^\S{20,}\n$/);
  const first = await fileOf('first', `${made.trim()}\nanalytical engine\n`);
  await done('ada', `login ${manager.address} -u ada --password-file ${first} --ca-pin ${pin()}`);
  const [self, table] = await Promise.all([
    done('ada', 'whoami'),
    done('admin', 'users list --filter spec.username=ada'),
    refused('ada', 'users create eve', [1, /^rfo: the manager says: ada may not create objects of the kind User\. Ask an administrator/]),
    refused('admin', 'users get nobody', [1, /there is no user "nobody"/]),
  ]);
  assert.match(self, /roles:\n {2}- auditor\n/);
  assert.match(table, /^NAME +USERNAME +ENABLED +GROUPS +LAST LOGIN +DISPLAY NAME\nu-\w+ +ada +true +engines +\S+ +Ada\n$/);
  const granted = await done('admin', 'roles grant auditor --to user:ada,group:engines');
  assert.equal(granted, 'user:ada has the role auditor already.\ngroup:engines has the role auditor.\n');
  assert.equal(await done('admin', 'roles revoke auditor --from group:engines'), 'group:engines has the role auditor no longer.\n');
  await done('admin', 'users disable ada');
  await refused('ada', 'whoami', [
    2,
    /no longer accepts this session \(the credentials are not accepted\)\. Sign in again: rfo manager login/,
  ]);
  await done('admin', 'users enable ada');
  await done('ada', `login -u ada --password-file ${await fileOf('back', 'analytical engine\n')}`);
});

test('clusters and projects are made, changed, shown in each form, and let go', async () => {
  const imported = await as('admin', 'clusters import lyon --display-name Lyon');
  assert.match(imported.stdout, new RegExp(`^\\S.*${manager.address}/import/\\S+\\.yaml.*\\n$`));
  assert.match(imported.stderr, /It works once, until \d{4}-/);
  assert.notEqual(await done('admin', 'clusters import lyon'), imported.stdout);
  const [table, yaml] = await Promise.all([done('admin', 'clusters list'), done('admin', 'clusters get lyon -o yaml')]);
  assert.match(table, /^lyon +Pending .*Lyon$/m);
  assert.match(yaml, /^spec:\n {2}displayName: Lyon$/m);
  const endpoint = `--endpoint on --endpoint-address lyon.example.com --endpoint-ca-file ${await fileOf('lyon', manager.ca)}`;
  assert.equal(await done('admin', `clusters change lyon --display-name Lyons ${endpoint}`), 'Cluster lyon is changed.\n');
  await Promise.all([
    refused('admin', 'clusters change lyon --endpoint perhaps', [2, /endpoint in the command line: "perhaps"/]),
    refused('admin', 'clusters change lyon --endpoint-address https://lyon', [1, /address/]),
    refused('admin', `clusters change lyon --endpoint-ca-file ${await fileOf('empty', '')}`, [2, /it holds no certificate in PEM/]),
    refused('ada', 'clusters change lyon --endpoint off', [1, /ada/]),
  ]);
  assert.deepEqual(JSON.parse(await done('admin', 'clusters get lyon -o json')).spec, {
    displayName: 'Lyons',
    authorizedEndpoint: { enabled: true, address: 'lyon.example.com', caBundle: manager.ca },
  });

  await done('admin', 'projects create shop --place lyon/shop,shop-test --member user:ada:member --quota pods=20');
  const change = '--remove-member user:ada:member --member user:ada:owner --place local --remove-quota pods --quota limits.cpu=4';
  assert.equal(await done('admin', `projects change shop ${change}`), 'Project shop is changed.\n');
  const [project, user, listed] = await Promise.all([
    done('admin', 'projects get shop -o json'),
    done('admin', 'users get ada -o json'),
    done('ada', 'projects list'),
    refused('admin', 'projects create x --member ada:owner', [2, /member in the command line: "ada:owner" is not a member and a role/]),
    refused('admin', 'clusters disconnect lyon', [2, /has to be asked for, and there is no terminal/]),
  ]);
  assert.deepEqual(JSON.parse(project).spec, {
    members: [{ kind: 'User', name: JSON.parse(user).name, role: 'owner' }],
    places: [{ cluster: 'lyon', namespaces: ['shop', 'shop-test'] }, { cluster: 'local' }],
    quota: { hard: { 'limits.cpu': '4' } },
  });
  assert.match(listed, /^shop +lyon\/shop\+shop-test,local +1$/m);
  assert.equal(await done('admin', 'clusters disconnect lyon -y'), 'Cluster lyon is being disconnected.\n');
  assert.equal(await done('admin', 'projects delete shop --yes'), 'Project shop is deleted.\n');
});

test('a slip is told with what to do about it, and changes nothing', async () => {
  const missing = join(folder, 'nothing.txt');
  const empty = await fileOf('nobody-typed', '\n');
  const oidc = 'providers create x --type oidc --allow-everybody';
  await Promise.all([
    refused('admin', 'cluster list', [
      2,
      /^rfo: unknown command "manager cluster"\. Did you mean "rfo manager clusters"\? All of them: rfo manager --help\.\n$/,
    ]),
    refused('admin', '', [2, /^rfo: unknown command "manager "\. All of them: rfo manager --help\.\n$/]),
    refused('admin', 'clusters import Lyon', [
      1,
      /name: use small letters, digits and, between them, hyphens\. See what the command takes: --help\.\n$/,
    ]),
    refused('admin', 'users create ruth --role king', [1, /there is no RoleTemplate "king"/]),
    refused('admin', `users create ruth --password-file ${missing}`, [
      2,
      /cannot use .*nothing\.txt: there is no such file\. Name one that you may read/,
    ]),
    refused('admin', `users create ruth --password-file ${empty}`, [2, /its first line is empty\. Write the password into it/]),
    refused('admin', `users create ruth --password-file ${folder}`, [2, /it is a folder/]),
    refused('admin', 'users delete ada', [
      2,
      /^rfo: a yes to "Delete ada\? .*" has to be asked for, and there is no terminal to ask at\. Give --yes\.\n$/,
    ]),
    refused('admin', 'projects create x --place nowhere/shop', [1, /there is no Cluster "nowhere"/]),
    refused('admin', 'tokens create --cluster nowhere', [1, /there is no Cluster "nowhere"/]),
    refused('admin', 'tokens create --ttl 9999d', [1, /it may last 90d at most/]),
    refused('admin', oidc, [1, /spec\.oidc\.issuer: it is missing; spec\.oidc\.clientId: it is missing/]),
    refused('admin', `${oidc} --settings-file ${empty}`, [
      2,
      /it holds no settings\. Write them as "key: value" lines of YAML, or as JSON/,
    ]),
    refused('admin', `${oidc} --ca-file ${missing}`, [2, /there is no such file/]),
  ]);
  const [users, projects, providers, none] = await Promise.all([
    done('admin', 'users list --filter spec.username=ruth -o json'),
    done('admin', 'projects list --filter name=x -o json'),
    done('admin', 'providers list -o json'),
    as('admin', 'audit --verb nothing'),
  ]);
  assert.deepEqual(
    [users, projects, providers].map((text) => JSON.parse(text)),
    [[], [], []],
  );
  assert.deepEqual([none.status, none.stderr], [0, 'rfo: Nothing was found.\n']);
});

test('a token is printed alone, signs a program in, and changes nothing where it is read-only', async () => {
  const made = await done('admin', 'tokens create --description robot --ttl 1h --read-only');
  assert.match(made, /^rfo_\w+_[0-9a-f]{64}\n$/);
  const [token, ca] = await Promise.all([fileOf('token', made), fileOf('ca', manager.ca)]);
  await done('robot', `login ${manager.address} --token-file ${token} --ca-file ${ca}`);
  const [users, tokens] = await Promise.all([
    done('robot', 'users list'),
    done('admin', 'tokens list'),
    refused('robot', 'users disable ada', [1, /this token may only read/]),
  ]);
  const [, id = ''] = made.split('_');
  assert.match(users, /^admin +admin /m);
  assert.match(tokens, new RegExp(`^${id} +admin +api +all +true .* robot$`, 'm'));
  assert.equal(await done('admin', `tokens delete ${made.trim()}`), `Token ${id} is deleted.\n`);
  await refused('robot', 'whoami', [2, /no longer accepts this session/]);
});

test('kubectl works in a cluster through the manager, by a token in the file and by the program', async () => {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'rfo'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(join(bin, 'rfo'), 0o755);
  const env = { ...homeOf('admin'), PATH: `${bin}:${process.env.PATH}` };
  const run = async (kubeconfig: string, command: string): Promise<string> =>
    (await promisify(execFile)(kubectl, ['--kubeconfig', kubeconfig, '--context', 'local', ...command.split(' ')], { env })).stdout;
  const [withToken, withProgram] = [join(folder, 'token.yaml'), join(folder, 'exec.yaml')];
  await Promise.all([
    done('admin', `kubeconfig --cluster local --ttl 1h --out ${withToken}`),
    done('admin', `kubeconfig --all --exec --out ${withProgram}`),
  ]);
  assert.equal((await stat(withToken)).mode & 0o777, 0o600);
  assert.match(await readFile(withToken, 'utf8'), /token: rfo_/);
  assert.doesNotMatch(await readFile(withProgram, 'utf8'), /rfo_/);
  const who = 'auth whoami -o jsonpath={.status.userInfo.username}';
  assert.equal(await run(withToken, who), 'rfo:admin');
  assert.equal(await run(withProgram, who), 'rfo:admin');
  assert.match(await run(withProgram, 'get namespaces'), /^rfo-system +Active/m);

  const credential = (): Promise<string> => done('admin', `credential --server ${manager.address} --cluster local`);
  const [one, two] = [await credential(), await credential()];
  assert.equal(JSON.parse(one).apiVersion, 'client.authentication.k8s.io/v1');
  assert.equal(one, two);
  const elsewhere = /this kubeconfig is of the manager at https:\/\/other\.example\.com/;
  await refused('admin', 'credential --server https://other.example.com', [2, elsewhere]);
  await refused('admin', 'kubeconfig', [2, /needs clusters: --cluster NAME, or --all/]);
});

test('what is in a cluster is listed by any of its names, filtered, sorted and cut', async () => {
  const rows = (await done('admin', 'get local namespaces --filter name~kube- --sort=-name')).split('\n');
  assert.match(rows[0] ?? '', /^NAME +STATUS +CREATED$/);
  assert.deepEqual(
    rows.slice(1, 4).map((row) => row.split(/ +/).slice(0, 2)),
    [
      ['kube-system', 'Active'],
      ['kube-public', 'Active'],
      ['kube-node-lease', 'Active'],
    ],
  );
  assert.match(await done('admin', 'get local cm -n kube-system -o json'), /"kind": "ConfigMap"/);
  const cut = await as('admin', 'get local Namespace.core --limit 1');
  assert.match(cut.stderr, /^rfo: 1 of \d+ are shown/);
  await refused('admin', 'get local unicorns', [2, /cluster local has no resource "unicorns" that can be listed/]);
  await refused('admin', 'get local', [2, /manager get needs the name of a cluster and a resource/]);
});

test('the audit tells who did what, follows what happens, and is whole', async () => {
  const told = await done('admin', 'audit --user admin --verb disconnect');
  assert.match(told, /^\S+Z +admin +127\.0\.0\.1 +disconnect +clusters\.rfo\.io lyon +.*done$/m);
  assert.match(await done('admin', 'audit --verify'), /^The audit log is whole: \d+ entries in \d+ segments\.\n$/);
  const child = startRfo(['manager', 'audit', '--follow', '-o', 'json', '--verb', 'create', '--limit', '1'], homeOf('admin'));
  const ids: string[] = [];
  const seen = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { id, name } = JSON.parse(line);
      ids.push(id);
      if (name === 'seen') resolve();
    });
  });
  await done('admin', 'projects create seen');
  await seen;
  assert.equal(new Set(ids).size, ids.length);
  const ended = once(child, 'close');
  child.kill('SIGINT');
  await ended;
});

test('a provider that does not answer is refused with the reason, and nothing of it is kept', async () => {
  const secret = await fileOf('client', 'the secret of the client\n');
  const create = `providers create corp --type oidc --set issuer=https://127.0.0.1:1 --set clientId=rfo --allow-everybody --secret-file ${secret}`;
  await refused('admin', create, [1, /the provider "corp" cannot be asked: .*127\.0\.0\.1:1.* ECONNREFUSED/]);
  await refused('admin', create.replace('create corp', 'create system'), [1, /cannot be asked/]);
  await refused('admin', `${create.replace('create corp', 'create system')} --disabled`, [1, /local, rfo and system cannot be names/]);
  await refused('admin', `login ${manager.address} -u ada --provider corp`, [2, /nobody can sign in to .* by a provider "corp"/]);
  assert.deepEqual(JSON.parse(await done('admin', 'providers list -o json')), []);
  await done('admin', `${create} --disabled`);
  await refused('admin', 'providers enable corp', [1, /cannot be asked/]);
  assert.ok(!(await done('admin', 'providers get corp -o yaml')).includes('the secret'));
  await done('admin', 'providers delete corp --yes');
});

test('somebody signs in by a browser: nobody but who began it gets the session, and only when the user has said yes', async () => {
  const child = spawn(process.execPath, [main, 'manager', 'login', manager.address, '--browser', '--print-url', '--ca-pin', pin()], {
    env: { PATH: process.env.PATH, ...homeOf('browser') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  const page = await new Promise<URL>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => line.startsWith('  https://') && resolve(new URL(line.trim())));
  });
  const [port, state] = [page.searchParams.get('port'), page.searchParams.get('state')];
  for (const wrong of [`/?code=mine&state=${'x'.repeat(16)}`, '/?code=mine', `/other?code=mine&state=${state}`])
    assert.equal((await fetch(`http://127.0.0.1:${port}${wrong}`)).status, 400);
  const chinese = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'accept-language': 'zh-CN' } });
  assert.match(await chinese.text(), /<html lang="zh-CN">.*这不是 rfo manager login 所等待的内容。/);
  let cookie = '';
  const visit = (path: string, form?: Readonly<Record<string, string>>): Promise<{ location: string; body: string }> =>
    new Promise((resolve, reject) => {
      const content = form === undefined ? undefined : new URLSearchParams(form).toString();
      const type = { 'content-type': 'application/x-www-form-urlencoded', 'origin': manager.address };
      const headers = { cookie, ...(content !== undefined && type) };
      const sent = request(new URL(path, manager.address), { ca: manager.ca, method: content === undefined ? 'GET' : 'POST', headers });
      sent.once('error', reject).once('response', async (answer) => {
        cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? cookie;
        resolve({ location: answer.headers.location ?? '', body: await text(answer) });
      });
      sent.end(content);
    });
  const wish = Object.fromEntries(page.searchParams);
  const asked = await visit(`${page.pathname}${page.search}`);
  assert.match(asked.body, /name="password"/);
  const signedIn = await visit('/sign-in', { username: 'admin', password: adminPassword, ...wish });
  const { body } = await visit(signedIn.location);
  assert.match(body, /<strong>admin<\/strong>/);
  const { location } = await visit('/sign-in/cli', { csrf: /name="csrf" value="([^"]*)"/.exec(body)?.[1] ?? '', ...wish });
  assert.equal(new URL(location).host, `127.0.0.1:${port}`);
  assert.match(await (await fetch(location)).text(), /You are signed in/);
  assert.deepEqual(await ended, [0, null]);
  assert.equal(JSON.parse(await done('browser', 'whoami -o json')).username, 'admin');
  assert.equal(JSON.parse(await done('browser', 'credential')).kind, 'ExecCredential');
  await done('browser', 'logout');
});

test('signing out, or in anew, ends the session and what kubectl got by it, at the manager too', async () => {
  const read = async () => JSON.parse(await readFile(join(folder, 'admin/.config/rfo/manager.json'), 'utf8'));
  const earlier = await read();
  await done('admin', `login -u admin --password-file ${await fileOf('again', `${adminPassword}\n`)}`);
  const later = await read();
  assert.equal(await done('admin', 'logout'), `admin is signed out of ${manager.address}.\n`);
  const files = await Promise.all(
    [earlier.token, earlier.credentials.local.token, later.token].map((token, at) => fileOf(`ended-${at}`, `${token}\n`)),
  );
  await Promise.all([
    refused('admin', 'whoami', [2, /nobody is signed in/]),
    ...files.map((file) =>
      refused('admin', `login ${manager.address} --token-file ${file} --ca-pin ${pin()}`, [2, /no longer accepts this session/]),
    ),
  ]);
});
