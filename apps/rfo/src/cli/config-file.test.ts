import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cloneRoot, defaultConfigFile, findInClone } from './config-file.ts';
import { folderOf } from './rfo.testing.ts';

test('in a clone, the file that npm start wrote is found from the source and from the bundled program', async () => {
  await using clone = await folderOf({
    'apps/rfo/src/main.ts': '',
    'apps/rfo/src/cli/x.ts': '',
    '.rfo/program/rfo.mjs': '',
    '.rfo/config.yaml': '',
  });
  for (const from of ['apps/rfo/src/cli', '.rfo/program']) {
    assert.equal(findInClone(`${clone.folder}/${from}`), `${clone.folder}/.rfo/config.yaml`);
  }
});

test('a clone in which nothing was started, and a place outside any, have none', async () => {
  await using clone = await folderOf({ 'apps/rfo/src/main.ts': '', 'lib/x': '' });
  assert.equal(findInClone(`${clone.folder}/apps/rfo/src`), undefined);
  assert.equal(cloneRoot('/usr/local/lib/rfo'), undefined);
});

test('who names a data directory is not taken to the clone', async () => {
  await using clone = await folderOf({ 'apps/rfo/src/main.ts': '', '.rfo/config.yaml': '' });
  assert.equal(defaultConfigFile({ RFO_DATA_DIR: '/x' }, `${clone.folder}/apps/rfo/src`), '/etc/rancher/rfo/config.yaml');
});
