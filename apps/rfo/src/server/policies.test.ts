import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderEncryptionConfig, withProvider } from './encryption-config.ts';
import { renderMetrics } from './metrics.ts';
import { renderAdmissionConfig, renderAuditPolicy } from './policies.ts';

test('the audit policy never logs bodies and ends with a rule for everything', () => {
  const policy = JSON.parse(renderAuditPolicy()) as { rules: { level: string }[] };
  assert.ok(policy.rules.every((rule) => rule.level === 'None' || rule.level === 'Metadata'));
  assert.deepEqual(policy.rules.at(-1), { level: 'Metadata' });
});

test('pod security is restricted under the CIS profile only, never for kube-system', () => {
  const read = (text: string) => JSON.parse(text).plugins[0].configuration;
  assert.equal(read(renderAdmissionConfig(undefined)).defaults.enforce, 'privileged');
  assert.equal(read(renderAdmissionConfig('cis')).defaults.enforce, 'restricted');
  assert.deepEqual(read(renderAdmissionConfig('cis')).exemptions.namespaces, ['kube-system']);
});

test('secrets are written encrypted and read plain as well', () => {
  const config = JSON.parse(renderEncryptionConfig('aescbc', new Uint8Array(32).fill(1)));
  assert.deepEqual(config.resources, [
    {
      resources: ['secrets'],
      providers: [{ aescbc: { keys: [{ name: 'aescbckey', secret: 'AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=' }] } }, { identity: {} }],
    },
  ]);
});

test('another cipher is put before the old one, whose key stays, and back', () => {
  const order = (text: string | undefined): unknown[] =>
    JSON.parse(text ?? '').resources[0].providers.map((provider: object) => JSON.stringify(provider).slice(2, 12));
  const old = renderEncryptionConfig('aescbc', new Uint8Array(32).fill(1));
  const both = withProvider(old, 'secretbox', new Uint8Array(32).fill(2)) ?? '';
  assert.deepEqual(order(both), ['secretbox"', 'aescbc":{"', 'identity":']);
  assert.equal(withProvider(both, 'secretbox', new Uint8Array(32).fill(3)), undefined);
  const back = withProvider(both, 'aescbc', new Uint8Array(32).fill(4));
  assert.deepEqual(order(back), ['aescbc":{"', 'secretbox"', 'identity":']);
  for (const byte of [1, 2]) assert.ok(back?.includes(Buffer.alloc(32, byte).toString('base64')));
});

test('metrics escape what would break a line', () => {
  assert.equal(
    renderMetrics([
      {
        name: 'x',
        help: 'h',
        type: 'gauge',
        samples: [
          { labels: { a: 'q"\\\n' }, value: 1.5 },
          { labels: {}, value: 2 },
        ],
      },
    ]),
    '# HELP x h\n# TYPE x gauge\nx{a="q\\"\\\\\\n"} 1.5\nx 2\n',
  );
});
