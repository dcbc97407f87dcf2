import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { retry } from '@rfo/foundation';
import type { KubeObject } from '@rfo/kube';
import { type Lab, type Person, startPeople } from './front-door.testing.ts';
import { type Answer, type Ask, askAt, codeOf, within } from './requests.testing.ts';

let lab: Lab;
let alice: Person;

before(async () => {
  ({ lab, alice } = await startPeople());
});
after(() => lab?.stop());

const ask = (...request: Ask): Promise<Answer> => askAt(lab, ...request);
const eventually = <T>(look: () => Promise<T>): Promise<T> => retry(look, { initial: 20, max: 500, ...within(30_000) });

it('what would have to be recorded is refused while that cannot be, reading goes on, and nothing is lost', async () => {
  const { client } = lab.cluster;
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const metadata = { name: 'no-audit' };
  const rules = [{ apiGroups: ['rfo.io'], apiVersions: ['*'], operations: ['*'], resources: ['auditsegments'] }];
  const policy: KubeObject & { readonly spec: unknown } = {
    ...{ apiVersion, kind: 'ValidatingAdmissionPolicy', metadata },
    spec: { matchConstraints: { resourceRules: rules }, validations: [{ expression: 'false', message: 'no audit today' }] },
  };
  const binding: KubeObject & { readonly spec: unknown } = {
    ...{ apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata },
    spec: { policyName: 'no-audit', validationActions: ['Deny'] },
  };
  await client.create(policy);
  await client.create(binding);
  // It acts a moment after it is there.
  await eventually(async () => {
    lab.audit.record({ verb: 'test', result: 'done' });
    await assert.rejects(lab.audit.flush(), /no audit today/);
  });
  const message = 'x'.repeat(8192);
  const before = lab.audit.state().pending;
  let told = 0;
  while (lab.audit.hasRoom()) {
    lab.audit.record({ verb: 'test', result: 'done', message });
    told++;
  }

  const change = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'unrecorded' } });
  const refused = await ask(alice, 'prod/api/v1/namespaces/team/configmaps', { ...change, body });
  assert.deepEqual([refused.status, codeOf(refused)], [503, 'audit-behind']);
  assert.match(refused.text, /no audit today/);
  assert.equal((await ask(alice, 'prod/api/v1/namespaces/team/secrets')).status, 503);
  assert.equal((await ask(alice, 'prod/api/v1/namespaces/team/configmaps')).status, 200);
  const made = await client.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'team', name: 'unrecorded' });
  assert.equal(made, undefined);

  await client.delete({ apiVersion, kind: 'ValidatingAdmissionPolicyBinding', name: 'no-audit' });
  await client.delete({ apiVersion, kind: 'ValidatingAdmissionPolicy', name: 'no-audit' });
  await eventually(() => lab.audit.flush());
  const { pending, lost, written } = lab.audit.state();
  assert.deepEqual([pending, lost], [0, 0]);
  assert.ok(written >= before + told, `${written} of ${before + told}`);
  assert.equal((await ask(alice, 'prod/api/v1/namespaces/team/configmaps', { ...change, body })).status, 201);
});
