import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './suggest.ts';

const known = ['cluster-cidr', 'service-cidr', 'token', 'tls-san', 'debug'];

test('a slip of the keyboard finds its name', () => {
  assert.equal(nearest('cluster-cird', known), 'cluster-cidr');
  assert.equal(nearest('clustercidr', known), 'cluster-cidr');
  assert.equal(nearest('TLS-SAN', known), 'tls-san');
  assert.equal(nearest('tokn', known), 'token');
});

test('what is far from every name finds none', () => {
  assert.equal(nearest('ingress', known), undefined);
  assert.equal(nearest('x', known), undefined);
});
