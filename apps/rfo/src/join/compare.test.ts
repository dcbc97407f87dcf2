import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultClusterSettings } from '@rfo/schema';
import { clockWarning, requireFittingVersion, requireSameSettings } from './compare.ts';

describe('whether a node fits the cluster', () => {
  it('refuses a server with other settings, naming all of them with both values', () => {
    requireSameSettings(defaultClusterSettings, { ...defaultClusterSettings });
    const cluster = { ...defaultClusterSettings, 'cluster-cidr': '10.99.0.0/16', 'cluster-domain': 'example.org' };
    assert.throws(() => requireSameSettings(defaultClusterSettings, cluster), {
      code: 'settings-differ',
      message:
        'this server does not fit the cluster: cluster-cidr is 10.42.0.0/16 here, 10.99.0.0/16 in the cluster; ' +
        'cluster-domain is cluster.local here, example.org in the cluster. Give it the values of the cluster.',
    });
  });

  const judge = (role: 'server' | 'agent', version: string): string => {
    try {
      requireFittingVersion({ role, version }, 'v1.36.3');
      return 'fits';
    } catch (error) {
      return error instanceof Error ? error.message : '';
    }
  };

  it('lets a server join with the same minor version or the next one', () => {
    for (const version of ['v1.36.0', 'v1.36.9', 'v1.37.0']) assert.equal(judge('server', version), 'fits');
    assert.equal(
      judge('server', 'v1.38.0'),
      'this server has Kubernetes v1.38.0, the cluster has v1.36.3: a server may be one minor version newer at most. ' +
        'Upgrade the cluster to 1.37 first, or join with that version.',
    );
    assert.match(judge('server', 'v1.35.9'), /a server that joins may not be older\. Install the version of RFO that the servers have/);
    assert.match(judge('server', 'v2.36.3'), /this server has Kubernetes v2/);
  });

  it('lets an agent join with the same minor version or one of the three before', () => {
    for (const version of ['v1.36.9', 'v1.35.0', 'v1.33.1']) assert.equal(judge('agent', version), 'fits');
    assert.match(judge('agent', 'v1.37.0'), /an agent may not be newer than the servers\. Upgrade the servers first\./);
    assert.match(judge('agent', 'v1.32.9'), /3 minor versions older at most/);
  });

  it('says what is no version', () => {
    assert.throws(() => requireFittingVersion({ role: 'agent', version: 'v1.36.3' }, 'latest'), {
      code: 'version-skew',
      message: /"latest"/,
    });
  });

  it('warns of a clock that goes wrong with the size of the difference', () => {
    const said = (clockAhead: number): string | undefined => clockWarning('https://a:9345', clockAhead);
    assert.equal(said(4_900), undefined);
    assert.equal(said(-4_900), undefined);
    assert.equal(said(7_250), 'the clock of this host goes 7.3 s behind that of https://a:9345');
    assert.equal(said(-90_000), 'the clock of this host goes 90 s ahead of that of https://a:9345');
    assert.match(said(3_600_000) ?? '', /goes 60 min behind .* certificates made there may not be valid here; set both by NTP$/);
  });
});
