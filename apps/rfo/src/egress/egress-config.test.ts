import assert from 'node:assert/strict';
import { it } from 'node:test';
import { renderEgressConfig } from './egress-config.ts';

it('sends only what goes into the cluster to the socket', () => {
  assert.equal(
    renderEgressConfig({ egressSocket: '/run/rfo/egress.sock' }),
    `{
  "apiVersion": "apiserver.k8s.io/v1beta1",
  "kind": "EgressSelectorConfiguration",
  "egressSelections": [
    {
      "name": "cluster",
      "connection": {
        "proxyProtocol": "HTTPConnect",
        "transport": {
          "uds": {
            "udsName": "/run/rfo/egress.sock"
          }
        }
      }
    }
  ]
}
`,
  );
});
