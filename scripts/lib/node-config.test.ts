import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderNodeConfig } from './node-config.ts';

test('the node of the repository keeps its data and its kubeconfig there, and runs the manager', () => {
  assert.equal(
    renderNodeConfig('/src/rfo/.rfo'),
    [
      '# Written by npm start each time. Your own settings belong into config.yaml.d/*.yaml beside this file.',
      'data-dir: "/src/rfo/.rfo/data"',
      'write-kubeconfig: "/src/rfo/.rfo/kubeconfig.yaml"',
      'manager: true',
      '',
    ].join('\n'),
  );
});
