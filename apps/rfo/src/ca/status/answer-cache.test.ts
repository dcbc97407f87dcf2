import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Answer, AnswerCache } from './answer-cache.ts';

function answer(certificate: string, size = 100): Answer {
  return { certificate, state: 'good', from: 0, until: 1, epoch: 0, reply: { status: 200, der: Buffer.alloc(size), caching: undefined } };
}

describe('the cache of signed answers', () => {
  it('recognises a request until its certificate changes', () => {
    const cache = new AnswerCache(1e6);
    const [one, other] = [answer('1@a'), answer('1@a')];
    cache.put('sha1', one);
    cache.put('sha256', other);
    cache.name('/x', one);
    cache.name('/y', other);
    assert.deepEqual([cache.recognise('/x'), cache.recognise('/y'), cache.recognise('/z')], [one, other, undefined]);
    assert.deepEqual([cache.get('1@a', 'sha1'), cache.get('2@a', 'sha1')], [one, undefined]);
    cache.drop('1@a');
    assert.deepEqual(
      [cache.recognise('/x'), cache.recognise('/y'), cache.get('1@a', 'sha1'), cache.bytes],
      [undefined, undefined, undefined, 0],
    );
  });

  it('recognises no request any more whose answer was signed anew', () => {
    const cache = new AnswerCache(1e6);
    const [old, next] = [answer('1@a'), answer('1@a')];
    cache.put('sha1', old);
    cache.name('/x', old);
    cache.put('sha1', next);
    assert.equal(cache.recognise('/x'), undefined);
    cache.name('/x', next);
    assert.equal(cache.recognise('/x'), next);
  });

  it('forgets what was used least lately when it is full', () => {
    const cache = new AnswerCache(20_000);
    for (let at = 0; at < 10; at++) cache.put('sha1', answer(`${at}@a`));
    cache.name('/0', cache.get('0@a', 'sha1') ?? answer('none'));
    for (let at = 10; at < 100; at++) {
      cache.recognise('/0');
      cache.put('sha1', answer(`${at}@a`));
    }
    assert.ok(cache.recognise('/0'));
    assert.ok(cache.get('99@a', 'sha1'));
    assert.equal(cache.get('1@a', 'sha1'), undefined);
    assert.ok(cache.size < 20);
  });

  it('keeps a few requests for each certificate, and none that is very long', () => {
    const cache = new AnswerCache(1e6);
    const one = answer('1@a');
    cache.put('sha1', one);
    for (let at = 0; at < 1000; at++) cache.name(`/${at}`, one);
    assert.deepEqual([cache.recognise('/0'), cache.recognise('/999')], [undefined, one]);
    const bytes = cache.bytes;
    cache.name(`/${'x'.repeat(10_000)}`, one);
    assert.equal(cache.bytes, bytes);
    assert.ok(bytes < 3000);
  });

  it('never holds more than it may, whatever is done, and holds nothing when all is dropped', () => {
    const certificate = fc.integer({ min: 0, max: 20 }).map((number) => `${number}@a`);
    const act = fc.oneof(
      fc.record({
        what: fc.constant('put' as const),
        certificate,
        id: fc.constantFrom('sha1', 'sha256'),
        size: fc.integer({ min: 0, max: 3000 }),
      }),
      fc.record({
        what: fc.constant('name' as const),
        certificate,
        id: fc.constantFrom('sha1', 'sha256'),
        alias: fc.string({ maxLength: 50 }),
      }),
      fc.record({ what: fc.constant('drop' as const), certificate }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
        const cache = new AnswerCache(10_000);
        for (const each of acts) {
          if (each.what === 'put') cache.put(each.id, answer(each.certificate, each.size));
          else if (each.what === 'drop') cache.drop(each.certificate);
          else {
            const known = cache.get(each.certificate, each.id);
            if (known !== undefined) cache.name(each.alias, known);
          }
          assert.ok(cache.bytes <= 10_000 && cache.bytes >= 0);
        }
        for (let number = 0; number <= 20; number++) cache.drop(`${number}@a`);
        assert.deepEqual([cache.bytes, cache.size], [0, 0]);
      }),
    );
  });
});
