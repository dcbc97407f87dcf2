import assert from 'node:assert/strict';
import { it } from 'node:test';
import { servingNames } from './names.ts';

it('the certificate is for the Service, for this host, for what is configured and for the address that people use', () => {
  assert.deepEqual(
    servingNames({ namespace: 'ns', configured: ['MANAGER.example.com', 'localhost'], serverUrl: 'https://rfo.example.com:8443/' }),
    [
      'localhost',
      '127.0.0.1',
      'rfo-manager',
      'rfo-manager.ns',
      'rfo-manager.ns.svc',
      'rfo-manager.ns.svc.cluster.local',
      'manager.example.com',
      'rfo.example.com',
    ],
  );
});

it('an IPv6 address is a name without its brackets, and what is no address adds none', () => {
  assert.ok(servingNames({ namespace: 'ns', configured: [], serverUrl: 'https://[2001:db8::1]:8443' }).includes('2001:db8::1'));
  assert.equal(servingNames({ namespace: 'ns', configured: [], serverUrl: 'nonsense' }).length, 6);
});
