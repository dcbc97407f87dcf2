import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderOf, rfo } from './cli/rfo.testing.ts';

test('without a command, and with --help, the commands are listed', async () => {
  const [bare, asked] = await Promise.all([rfo([]), rfo(['--help'])]);
  assert.equal(bare.stdout, asked.stdout);
  assert.match(asked.stdout, /^ {2}config explain +Tell what is set/m);
  assert.deepEqual([asked.status, asked.stderr], [0, '']);
});

test('a command explains itself with its flags', async () => {
  const [after, before] = await Promise.all([rfo(['server', '--help']), rfo(['help', 'server'])]);
  assert.match(after.stdout, /^Usage: rfo server \[flags\]$/m);
  assert.match(after.stdout, /^ {2}-d, --data-dir <path> /m);
  assert.match(after.stdout, /^ +--disable-agent /m);
  assert.equal(after.stdout, before.stdout);
});

test('a group of commands is listed, a group within a group as well', async () => {
  const [outer, inner, mistyped] = await Promise.all([rfo(['ca', '--help']), rfo(['ca', 'token', '-h']), rfo(['ca', 'token', 'mak'])]);
  assert.match(outer.stdout, /^ {2}ca init .*\n(.*\n)* {2}ca token delete /m);
  assert.match(
    inner.stdout,
    /Usage: rfo ca token <command>\n\nCommands:\n {2}ca token create .*\n {2}ca token list .*\n {2}ca token delete /,
  );
  assert.match(mistyped.stderr, /unknown command "ca token mak"\. Use: rfo ca token create, rfo ca token list, rfo ca token delete\./);
});

test('--version tells the version', async () => {
  const { stdout, status } = await rfo(['--version']);
  assert.match(stdout, /^rfo version v\d+\.\d+\.\d+/);
  assert.equal(status, 0);
});

test('an unknown command is one sentence with what was meant, and exit code 2', async () => {
  assert.deepEqual(await rfo(['sevrer']), {
    status: 2,
    stdout: '',
    stderr: 'rfo: unknown command "sevrer". Did you mean "rfo server"? All commands: rfo --help.\n',
  });
  assert.equal((await rfo(['config'])).stderr, 'rfo: unknown command "config". Use: rfo config validate, rfo config explain.\n');
});

test('all mistakes in a configuration are told, one line each, with exit code 2', async () => {
  await using made = await folderOf({ 'config.yaml': 'cluster-cird: 10.0.0.0/16\ndebug: yess\n' });
  const file = `${made.folder}/config.yaml`;
  assert.deepEqual(await rfo(['config', 'validate', '-c', file, '--cni=weave']), {
    status: 2,
    stdout: '',
    stderr: [
      `rfo: unknown key "cluster-cird" in ${file}:1. Did you mean "cluster-cidr"? All keys: rfo server --help.`,
      `rfo: debug in ${file}:2: expected true or false, got "yess". Write true or false.`,
      'rfo: cni in the command line: "weave" is not one of its values. Use flannel, none.',
      '',
    ].join('\n'),
  });
});

test('with --debug an error shows where it came from', async () => {
  const { stderr } = await rfo(['--debug', 'config', 'validate', '--cni=weave']);
  assert.match(stderr, /Use flannel, none\.\n {4}at .*resolve-config\.ts/s);
});

test('a valid configuration is said to be so', async () => {
  await using made = await folderOf({ 'config.yaml': 'debug: true\n', 'config.yaml.d/a.yaml': 'cni: none\n' });
  const { status, stdout } = await rfo(['config', 'validate'], { RFO_CONFIG_FILE: `${made.folder}/config.yaml` });
  assert.deepEqual(
    [status, stdout],
    [0, `The configuration is valid (${made.folder}/config.yaml, ${made.folder}/config.yaml.d/a.yaml).\n`],
  );
});

test('explain shows what is set and where, and never a secret', async () => {
  await using made = await folderOf({ 'config.yaml': 'token: hush\nnode-label: [a=b]\n', 'config.yaml.d/x.yaml': 'node-label+: c=d\n' });
  const file = `${made.folder}/config.yaml`;
  const { stdout } = await rfo(['config', 'explain', '-c', file, '--agent-token=quiet'], { RFO_CNI: 'none' });
  const row = (key: string, value: string, from: string) => `${key.padEnd(13)}${value.padEnd(file.length + 2)}${from}\n`;
  assert.equal(
    stdout,
    [
      row('KEY', 'VALUE', 'FROM'),
      row('config', file, 'the command line'),
      row('token', '(secret)', `${file}:1`),
      row('agent-token', '(secret)', 'the command line'),
      row('node-label', 'a=b, c=d', `${file}:2, ${file}.d/x.yaml:1`),
      row('cni', 'none', 'the environment (RFO_CNI)'),
    ].join(''),
  );
  const all = await Promise.all([
    rfo(['config', 'explain', 'token', '-c', file]),
    rfo(['server', '-c', file, '--token-file=x', '--debug']),
  ]);
  assert.match(all[0].stdout, /^token: \(secret\)\n {2}from {5}.*config\.yaml:1\n/);
  for (const { stdout: out, stderr } of [{ stdout, stderr: '' }, ...all]) assert.doesNotMatch(out + stderr, /hush|quiet/);
});

test('explain tells what one option means and what it could be', async () => {
  assert.equal(
    (await rfo(['config', 'explain', 'cni', '-c', '/dev/null'])).stdout,
    [
      'cni: flannel',
      '  from     its default',
      '  meaning  Pod network; with none you bring your own.',
      '  values   flannel, none',
      '  set by   --cni, RFO_CNI, or "cni:" in the configuration file',
      '',
    ].join('\n'),
  );
  assert.match((await rfo(['config', 'explain', 'cin', '-c', '/dev/null'])).stderr, /Did you mean "cni"\?/);
});
