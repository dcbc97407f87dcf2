import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadArguments } from './load-config.ts';
import { managerClustersListConfig, managerGetConfig } from './manager-cli-options.ts';

const refused = (declaration: typeof managerGetConfig | typeof managerClustersListConfig, argv: string, why: RegExp): void =>
  assert.throws(() => loadArguments(declaration as typeof managerGetConfig, { argv: argv.split(' '), env: {} }), why);

test('what kubectl has short flags for has them here', () => {
  const { values, operands } = loadArguments(managerGetConfig, {
    argv: 'lyon pods web-1 -n shop -l tier=front -w -o json'.split(' '),
    env: {},
  });
  const { namespace, selector, watch, output } = values;
  assert.deepEqual([operands, namespace, selector, watch, output], [['lyon', 'pods', 'web-1'], 'shop', 'tier=front', true, 'json']);
});

test('flags of a list that contradict each other, or ask for more than can be followed, are refused', () => {
  refused(
    managerGetConfig,
    'lyon pods -A -n shop',
    /all-namespaces in the command line: it contradicts --namespace shop\. Give one of the two/,
  );
  for (const declaration of [managerGetConfig, managerClustersListConfig]) {
    refused(declaration, '-w --limit 1001', /limit in the command line: no more than 1000 objects of a list can be followed/);
    refused(declaration, '--output-watch-events', /there are no events where nothing is followed\. Give --watch as well/);
  }
});
