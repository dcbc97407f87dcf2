import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultRenewal } from './lifetime.ts';
import { day, start, TestNode } from './node.testing.ts';
import { expirationMetric, expiryEvents, reportCertificates } from './report.ts';

describe('the report on certificates', () => {
  const after = async (days: number) => {
    using node = new TestNode();
    const { certificates } = await node.ensure();
    return reportCertificates(certificates, { now: start + days * day, renewal: defaultRenewal });
  };

  it('has a metric whose label sets are unique', async () => {
    const { samples } = expirationMetric(await after(1));
    const labels = samples.map(({ labels }) => JSON.stringify(labels));
    assert.equal(new Set(labels).size, labels.length);
    assert.deepEqual(
      samples.find(({ labels }) => labels.subject === 'CN=system:admin,O=system:masters'),
      { labels: { subject: 'CN=system:admin,O=system:masters', usages: 'ClientAuth' }, value: 364 * 86_400 },
    );
    const [report] = await after(1);
    assert.ok(report);
    const twins = expirationMetric([report, { ...report, expirySeconds: 5 }, { ...report, expirySeconds: 7 }]);
    assert.deepEqual(
      twins.samples.map(({ value }) => value),
      [5],
    );
  });

  it('is content while all is well', async () => {
    assert.deepEqual(
      expiryEvents(await after(100)).map(({ type, reason }) => [type, reason]),
      [['Normal', 'CertificateExpirationOK']],
    );
  });

  it('names leaves that were not renewed in time', async () => {
    const [event, ...others] = expiryEvents(await after(300));
    assert.deepEqual([event?.type, event?.reason, others], ['Warning', 'CertificateExpirationWarning', []]);
    assert.match(event?.message ?? '', /client-admin \(WARNING, ends 2027-11-21\)/);
    assert.match(expiryEvents(await after(366))[0]?.message ?? '', /client-admin \(EXPIRED, ends 2027-11-21\)/);
    assert.match(expiryEvents(await after(-1))[0]?.message ?? '', /client-admin \(NOT YET VALID/);
  });

  it('warns a year before a CA ends', async () => {
    const reasons = async (days: number) =>
      expiryEvents((await after(days)).filter(({ kind }) => kind === 'authority')).map(({ reason }) => reason);
    assert.deepEqual(await reasons(3650 - 366), ['CertificateExpirationOK']);
    assert.deepEqual(await reasons(3650 - 364), ['CertificateExpirationOK', 'CACertificateExpirationWarning']);
  });
});
