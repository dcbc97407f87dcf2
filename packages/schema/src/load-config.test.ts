import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from './load-config.ts';
import type { Environment } from './read-environment.ts';
import { problemsOf } from './resolve-config.ts';
import { small } from './small.testing.ts';

async function folderWith(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-config-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

async function load(files: Readonly<Record<string, string>>, argv: readonly string[] = [], env: Environment = {}) {
  await using made = await folderWith(files);
  const at = (text: string) => text.replaceAll('@', made.folder);
  const input = { argv: argv.map(at), env, defaultFile: join(made.folder, 'config.yaml') };
  return await loadConfig(small, input).then(
    (loaded) => ({
      values: loaded.values,
      warnings: loaded.warnings,
      places: Object.fromEntries(
        [...loaded.chosen].map(([key, { places }]) => [key, places.map((place) => place.replace(made.folder, '@'))]),
      ),
    }),
    (error: unknown) => problemsOf(error).map((problem) => problem.message.replaceAll(made.folder, '@')),
  );
}

const valuesOf = async (...input: Parameters<typeof load>) => {
  const loaded = await load(...input);
  assert.ok(!Array.isArray(loaded), String(loaded));
  return loaded.values;
};

test('without anything the defaults hold', async () => {
  assert.deepEqual(await valuesOf({}), { port: 80, colour: 'blue', fast: false, name: [], 'an-arg': [], 'secret-door': false });
});

test('the command line goes before the environment, the environment before a later file, that before an earlier one', async () => {
  const files = { 'config.yaml': 'port: 1', 'config.yaml.d/b.yml': 'port: 3', 'config.yaml.d/a.yaml': 'port: 2' };
  const env = { RFO_PORT: '4' };
  assert.equal((await valuesOf(files, ['--port=5'], env)).port, 5);
  assert.equal((await valuesOf(files, [], env)).port, 4);
  assert.equal((await valuesOf(files)).port, 3);
  assert.equal((await valuesOf({ 'config.yaml': 'port: 1', 'config.yaml.d/a.yaml': 'port: 2' })).port, 2);
});

test('a list from above replaces the list from below', async () => {
  const files = { 'config.yaml': 'name: [a, b]' };
  assert.deepEqual((await valuesOf(files, ['--name', 'c', '--name', 'd'])).name, ['c', 'd']);
  assert.deepEqual((await valuesOf(files, [], { RFO_NAME: 'e, f' })).name, ['e', 'f']);
  assert.deepEqual((await valuesOf({ ...files, 'config.yaml.d/a.yaml': 'name: [g]' })).name, ['g']);
});

test('a key with a plus appends to what earlier files gave', async () => {
  const files = { 'config.yaml': 'name: [a]', 'config.yaml.d/1.yaml': 'name+: [b]', 'config.yaml.d/2.yaml': 'name+: c' };
  assert.deepEqual((await valuesOf(files)).name, ['a', 'b', 'c']);
  assert.deepEqual((await valuesOf({ ...files, 'config.yaml.d/3.yaml': 'name: [d]', 'config.yaml.d/4.yaml': 'name+: e' })).name, [
    'd',
    'e',
  ]);
});

test('drop-ins count without a main file, and only YAML files are drop-ins', async () => {
  assert.equal((await valuesOf({ 'config.yaml.d/a.yaml': 'port: 2', 'config.yaml.d/b.yaml~': 'port: 3' })).port, 2);
});

test('another file can be named by flag or variable, with drop-ins of its own', async () => {
  const files = { 'config.yaml': 'port: 1', 'other.yaml': 'port: 7', 'other.yaml.d/x.yaml': 'colour: red' };
  assert.deepEqual(await valuesOf(files, ['-c', '@/other.yaml']).then(({ port, colour }) => [port, colour]), [7, 'red']);
  assert.deepEqual(await load(files, ['-c', '@/none.yaml']), [
    'cannot read @/none.yaml: there is no such file. Give a readable YAML file of "key: value" lines.',
  ]);
});

test('a file can come from a web server', async () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/config' ? 200 : 404;
    response.end('port: 9');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    assert.equal((await valuesOf({}, ['-c', `${url}/config`])).port, 9);
    assert.match(String(await load({}, ['-c', `${url}/none`])), /the server answers 404 Not Found/);
  } finally {
    server.close();
  }
});

test('a variable holds one value, a list by commas, or by lines where items may hold commas', async () => {
  const env = { RFO_FAST: '1', RFO_AN_ARG: 'a=1,2\nb=3\n', PAINT_PASSWORD: 'x', RFO_COLOUR: '' };
  const values = await valuesOf({}, [], env);
  assert.deepEqual([values.fast, values['an-arg'], values.password, values.colour], [true, ['a=1,2', 'b=3'], 'x', 'blue']);
});

test('a variable that is nearly one of ours is warned of', async () => {
  const loaded = await load({}, [], { RFO_COLOR: 'red', RFO_SOMETHING_ELSE: '1' });
  assert.deepEqual('warnings' in loaded && loaded.warnings, ['the variable RFO_COLOR is not known; RFO_COLOUR is']);
});

test('where each value came from is kept', async () => {
  const loaded = await load({ 'config.yaml': 'fast: true\nname: [a]', 'config.yaml.d/x.yaml': 'name+: b' }, ['-p', '1'], {
    RFO_COLOUR: 'blue',
  });
  assert.deepEqual('places' in loaded && loaded.places, {
    fast: ['@/config.yaml:1'],
    name: ['@/config.yaml:2', '@/config.yaml.d/x.yaml:1'],
    colour: ['the environment (RFO_COLOUR)'],
    port: ['the command line'],
  });
});

test('all mistakes of all sources are told together', async () => {
  const problems = await load(
    { 'config.yaml': 'prot: 1\ncolour: green\nname: [a, ""]', 'config.yaml.d/x.yaml': 'fast: 7' },
    ['--folder', 'x', '--wat'],
    {
      RFO_PORT: 'none',
    },
  );
  assert.deepEqual(problems, [
    'unknown key "prot" in @/config.yaml:1. Did you mean "port"? All keys: rfo paint --help.',
    'fast in @/config.yaml.d/x.yaml:1: expected true or false, got 7. Write true or false.',
    'port in the environment (RFO_PORT): expected a number, got "none". Give a number.',
    'unknown flag --wat of rfo paint. All flags: rfo paint --help.',
    'colour in @/config.yaml:2: "green" is not one of its values. Use red, blue.',
    'name in @/config.yaml:3: it has no value. Give one, or leave it out.',
    'folder in the command line: "x" is not an absolute path. Begin it with "/".',
  ]);
});

test('a rule is judged where its options are sound, though others are not', async () => {
  assert.deepEqual(await load({ 'config.yaml': 'colour: red\nfolder: x' }, ['--port=1']), [
    'folder in @/config.yaml:2: "x" is not an absolute path. Begin it with "/".',
    'colour in @/config.yaml:1: red is not for port 1. Use blue.',
  ]);
  assert.deepEqual(await load({ 'config.yaml': 'colour: red' }, ['--port=0']), [
    'port in the command line: 0 is not a whole number from 1 to 65535. Give one that is.',
  ]);
});
