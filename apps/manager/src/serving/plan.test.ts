import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { planServing, type ServingPems } from './plan.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 10, 21);
const plan = (held: Partial<ServingPems> | undefined, more: { readonly names?: readonly string[]; readonly now?: number } = {}) =>
  planServing({ held, names: more.names ?? ['rfo.example.com', '192.0.2.1'], now: more.now ?? start, where: 'the Secret rfo-system/x' });
const namesOf = (pems: ServingPems): string | undefined => new X509Certificate(pems['tls.crt']).subjectAltName;

describe('where nothing is held', () => {
  it('a CA and a certificate of it for all names are made', () => {
    const { pems, reason, next } = plan(undefined);
    assert.equal(reason, 'there was none');
    const [ca, leaf] = [new X509Certificate(pems['ca.crt']), new X509Certificate(pems['tls.crt'])];
    assert.equal(ca.ca, true);
    assert.equal(leaf.ca, false);
    assert.equal(leaf.verify(ca.publicKey), true);
    assert.equal(leaf.checkHost('rfo.example.com'), 'rfo.example.com');
    assert.equal(leaf.checkIP('192.0.2.1'), '192.0.2.1');
    // 90 days and the five minutes for clocks that are behind.
    assert.ok(Math.abs(next - (start + 60 * day)) < day);
  });
});

describe('what is held', () => {
  const { pems: held } = plan(undefined);

  it('stays while it is good', () => {
    const { pems, reason } = plan(held, { now: start + 59 * day });
    assert.equal(reason, undefined);
    assert.deepEqual(pems, held);
  });

  it('gets a new certificate of the same CA when a third of its life is left', () => {
    const { pems, reason } = plan(held, { now: start + 61 * day });
    assert.equal(reason, 'it comes to its end');
    assert.equal(pems['ca.crt'], held['ca.crt']);
    assert.notEqual(pems['tls.key'], held['tls.key']);
  });

  it('gets a further name and keeps those that another replica may want, until it is renewed', () => {
    const more = plan(held, { names: ['other.example.com'] });
    assert.equal(more.reason, 'it lacks DNS:other.example.com');
    assert.equal(namesOf(more.pems), 'DNS:rfo.example.com, IP Address:192.0.2.1, DNS:other.example.com');
    assert.equal(plan(more.pems).reason, undefined);
    assert.equal(namesOf(plan(more.pems, { names: ['other.example.com'], now: start + 80 * day }).pems), 'DNS:other.example.com');
  });

  it('is prolonged with the same name and key when the CA comes to its end, so that who trusts the old one is served on', () => {
    const now = start + 3400 * day;
    const { pems, reason } = plan(held, { now });
    assert.equal(reason, 'the CA comes to its end');
    const old = new X509Certificate(held['ca.crt']);
    assert.notEqual(pems['ca.crt'], held['ca.crt']);
    assert.equal(pems['ca.key'], held['ca.key']);
    const leaf = new X509Certificate(pems['tls.crt']);
    assert.equal(leaf.checkIssued(old) && leaf.verify(old.publicKey), true);
  });

  it('gets a new certificate in place of a broken one', () => {
    const { pems, reason } = plan({ ...held, 'tls.crt': 'nonsense' });
    assert.equal(reason, 'there was no certificate that can be used');
    assert.equal(pems['ca.crt'], held['ca.crt']);
    const stranger = plan(undefined).pems;
    assert.equal(plan({ ...held, 'tls.crt': stranger['tls.crt'], 'tls.key': stranger['tls.key'] }).reason, 'it is signed by another CA');
  });

  it('never gets a new CA in place of a broken one', () => {
    const { 'ca.key': _, ...keyless } = held;
    assert.throws(() => plan(keyless), /the Secret rfo-system\/x cannot be used: it holds no ca\.key/);
    assert.throws(() => plan({ ...held, 'ca.key': plan(undefined).pems['ca.key'] }), /ca\.key is the key of another one/);
    assert.throws(() => plan({ ...held, 'ca.crt': held['tls.crt'], 'ca.key': held['tls.key'] }), /ca\.crt is not that of a CA/);
    assert.throws(() => plan({ ...held, 'ca.crt': 'nonsense' }), /certificate/);
  });
});
