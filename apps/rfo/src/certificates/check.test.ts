import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { checkCertificates, residualTime } from './check.ts';
import { defaultRenewal } from './lifetime.ts';
import { day, start, TestNode } from './node.testing.ts';
import { certificateNames } from './table.ts';

describe('the check of certificates', () => {
  it('has a row for each, and changes nothing', async () => {
    using node = new TestNode();
    const missing = await checkCertificates(node.paths, { now: start, renewal: defaultRenewal });
    assert.deepEqual(new Set(missing.map(({ status }) => status)), new Set(['MISSING']));
    await node.ensure();
    rmSync(node.path('client-admin.crt'));
    writeFileSync(node.path('client-kubelet.crt'), 'x');
    const rows = await checkCertificates(node.paths, { now: start + 300 * day, renewal: defaultRenewal });
    assert.equal(rows.length, certificateNames.length);
    const row = (filename: string) => rows.find((candidate) => candidate.filename === filename);
    assert.deepEqual(row('kube-scheduler/kube-scheduler.crt'), {
      ...{ filename: 'kube-scheduler/kube-scheduler.crt', subject: 'CN=kube-scheduler', usages: 'ServerAuth' },
      ...{ expires: '2027-11-21T10:00:00Z', residual: '65d', status: 'WARNING' },
    });
    assert.deepEqual([row('etcd/peer-ca.crt')?.status, row('etcd/peer-ca.crt')?.residual], ['OK', '9y']);
    assert.deepEqual([row('client-admin.crt')?.status, row('client-kubelet.crt')?.status], ['MISSING', 'UNREADABLE']);
    const expired = await checkCertificates(node.paths, { now: start + 366 * day, renewal: defaultRenewal });
    assert.deepEqual(expired.find(({ filename }) => filename === 'etcd/client.crt')?.status, 'EXPIRED');
  });

  it('tells durations as Kubernetes does', () => {
    const told = (seconds: number): string => residualTime(seconds * 1000);
    assert.deepEqual([-5, 0, 119, 330, 600, 7200].map(told), ['0s', '0s', '119s', '5m30s', '10m', '120m']);
    assert.deepEqual([18_600, 28_800, 172_799, 190_800, 691_200].map(told), ['5h10m', '8h', '47h', '2d5h', '8d']);
    assert.deepEqual(
      [600, 365 * 3 + 40, 3650].map((days) => told(days * 86_400)),
      ['600d', '3y40d', '10y'],
    );
  });
});
