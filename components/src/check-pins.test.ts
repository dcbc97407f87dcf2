import assert from 'node:assert/strict';
import { test } from 'node:test';
import { licenceName, newestAfter, renderPins } from './check-pins.ts';
import { isOlder } from './toolchain.ts';

test('the newest release with the same major version counts, previews do not', () => {
  assert.equal(newestAfter('v1.9.1', ['v1.9.0', 'v1.10.0', 'v1.9.9', 'v1.11.0-rc.1', 'v2.0.0']), 'v1.10.0');
  assert.equal(newestAfter('v1.10.0', ['v1.9.9', 'v1.10.0']), undefined);
});

test('versions are compared by number', () => {
  assert.equal(isOlder('1.26.8', '1.26.10'), true);
  assert.equal(isOlder('1.26.10', '1.26.8'), false);
  assert.equal(isOlder('1.26.8', '1.26.8'), false);
  assert.equal(isOlder('1.27', '1.26.8'), false);
});

test('licences are known by their text', () => {
  assert.equal(licenceName('   Apache License\n   Version 2.0, January 2004'), 'Apache-2.0');
  assert.equal(licenceName('Permission is hereby granted, free of charge, to'), 'MIT');
  assert.equal(licenceName('All rights reserved to nobody'), 'unknown');
});

test('a pin that go.mod does not follow stands out', () => {
  const row = { module: 'example.org/a', pinned: 'v1.0.0', found: 'v1.0.0', licence: 'MIT', newer: undefined, matches: true };
  const rows = [
    { ...row, name: 'a' },
    { ...row, name: 'long', found: 'v1.0.1', newer: 'v1.1.0', matches: false },
  ];
  assert.equal(
    renderPins(rows),
    [
      'part  module         versions.ts  go.mod agrees  licence  newer',
      'a     example.org/a  v1.0.0       yes            MIT      -',
      'long  example.org/a  v1.0.0       NO: v1.0.1     MIT      v1.1.0',
    ].join('\n'),
  );
});
