import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { it } from 'node:test';
import { readGo } from './go-types.ts';
import { authenticatedRequest, findKey } from './hmac.ts';

const key = Buffer.from('0123456789ABCDEF0123456789ABCDEF', 'hex');
const other = Buffer.from('00'.repeat(16), 'hex');

/** The first request of cfssl's own tests (auth/testdata/authrequest.json), with that key. */
const published = {
  token: 'tSU1WTE/322iXrOBfJSQ9/u1dleqpwUmCj1LXYHw07Y=',
  request: [
    'ewoJImhvc3RuYW1lIjogImt5bGVpc29tLm5ldCIsCgkicmVxdWVzdCI6ICItLS0tLUJFR0lOIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQoJICAgIE1JSUQw',
    'VENDQWpzQ0FRQXdZREVMTUFrR0ExVUVCaE1DVlZNeEVqQVFCZ05WQkFvVENXUnliM0J6YjI1a1pURVEKCSAgICBNQTRHQTFVRUN4TUhRMFl0UTJoaGRERVdN',
    'QlFHQTFVRUJ4TU5VMkZ1SUVaeVlXNWphWE5qYnpFVE1CRUdBMVVFCgkgICAgQ0JNS1EyRnNhV1p2Y201cFlUQ0NBYUl3RFFZSktvWklodmNOQVFFQkJRQURn',
    'Z0dQQURDQ0FZb0NnZ0dCQU1jQwoJICAgIEdCbDVMVHJla0dGV2hvdGtkYlorUjFNbG9hcld4UXY5alA0QWVrdDhVT2ljeXBIdkZPNnhPdFN3SG8rcjMyaUUK',
    'CSAgICBxblM1eXYvMDFQMk1KdXlxbmRuY1RTTXNPbFQvN242N1RNMDB1MDFLLzljL3NvZ0tFS2pseXBsVFA3eUZkRy9jCgkgICAgT3UvOXFLYi9KYWxkMndF',
    'TEZZRTZ4cTJSREZ5eHlpWk9CM2c3WjdGeGE1ZDZhZGZHUndaek50VUw0LzhzK0x5aQoJICAgIHFkdzlJMWZrUWQ2MDRwb1pGTjB3clFzNGxmaFdUVWZnMHJI',
    'dWg1d2dHS1AzVnpacGJ0OEZiMXZOamZiSHRvaHgKCSAgICBHMlBDVTZKeStEYzFiU2ZVeldjUW5lbnA4NThXNEY4ejdwRjV5YmRuRlIzMTNIam9zcVhuRzI4',
    'eklUck9hZE1UCgkgICAgSGFKNnpPaGdFYWZVT1dYT3pqTm9mRkJGYTJJdUNBVCtJVFJZMXRDL2dxcHhHd0gveXVWTjE5Qkc4VXBuMCtIQQoJICAgIGllMm1L',
    'Q0hmU0JBS1QvWGU0dW1QZWF4U2JJcVdzVzhjaytkM2I0b3I5Ulp2NWNaUmNUM29pa0p0K1NRRzY5cFcKCSAgICA0T0FiYitBQnNzL05JdXJpNnowZTdERWVJ',
    'TDV6bXlTSnFkdFlIZE5ZTjcrK3Y5eEJOc0w0SXNVNklFeTMrUUlECgkgICAgQVFBQm9DNHdMQVlKS29aSWh2Y05BUWtPTVI4d0hUQWJCZ05WSFJFRUZEQVNn',
    'aEJqWmk1a2NtOXdjMjl1WkdVdQoJICAgIGJtVjBNQXNHQ1NxR1NJYjNEUUVCREFPQ0FZRUFoTUFxQmlySStrMWFVM2xmQUdRaVNtOHl0T3paaWozODloSXIK',
    'CSAgICBuVXA4K1duVHVWVGI4WFozL1YrTDlFblRJbUY2dTF3ZWFqWGQzU3VlNDk1NzBMYlltSXV4QmtHcDUwL0JkVUR6CgkgICAgdUI2eHNoaEpXczEySnhV',
    'YjkxSW1tMGJUUncyek1xZXdnYTZmdHpaL0FLNG1zeFFBMlVJYmNXWmRzS2J1TTdzbwoJICAgIEpUZlZXOWlPd3FIdC82NFpqNHRCWmY5THpPRHI3a051S0tM',
    'bndqaXpIMTg3eGZJSWhkcmpGOFdTN0g5QVBCMU8KCSAgICBTdUVVRGZxaDBTV1IzbHRXdUF1VVdlbzZTS2NIVnVzeS9HNFlFK1BCeXcxZVY3RzRTYmVHNVow',
    'bytHT1VVSy9GCgkgICAgYjU1R21XMXhhNExBcnMxQSt6ZUZidkovQkFwc2JVMmI2V1ZtTmE3V3BIejdXWElGT0p1WUpnRWtWS1BKbkt1cwoJICAgIHFxczNG',
    'Z1VxejBadjdUSzhtTWlFVEpvWFpzNnpDdk15c1FldTNKL29qZ3RBanZNaHpRYzZQUy9udk90SmRJZysKCSAgICBIMHFYNDlmaHAxQnJZeXNsYWx6UUlGMCtI',
    'MHFTVWV5b1V5VjJ3YkxCQUxhcHhNZnZUVmxoTnduYWN0Y0tReHE0CgkgICAgK3dUKzJQVEowYk0vNUFWMFRPMVNQVDBBVmlKaAoJICAgIC0tLS0tRU5EIENF',
    'UlRJRklDQVRFIFJFUVVFU1QtLS0tLSIsCgkicHJvZmlsZSI6ICIiLAoJInJlbW90ZSI6ICIiLAoJImxhYmVsIjogInByaW1hcnkiCn0KCg==',
  ].join(''),
};

it('takes the request that cfssl publishes with its key', () => {
  const { token, request } = readGo(Buffer.from(JSON.stringify(published)), authenticatedRequest);
  assert.ok(token !== null && request !== null);
  assert.equal(findKey([key], { request, token }), 0);
  assert.equal(findKey([other], { request, token }), -1);
  assert.equal(findKey([other, key], { request, token }), 1);
});

it('refuses a request of which a byte was changed, and a token of another length', () => {
  const request = Buffer.from('{"certificate_request":"x"}');
  const token = createHmac('sha256', key).update(request).digest();
  assert.equal(findKey([key], { request, token }), 0);
  for (const at of [0, request.length - 1]) {
    const altered = Buffer.from(request);
    altered[at] = (altered[at] ?? 0) ^ 1;
    assert.equal(findKey([key], { request: altered, token }), -1);
  }
  for (const at of [0, 31]) {
    const altered = Buffer.from(token);
    altered[at] = (altered[at] ?? 0) ^ 1;
    assert.equal(findKey([key], { request, token: altered }), -1);
  }
  for (const wrong of [Buffer.alloc(0), token.subarray(0, 31), Buffer.concat([token, Buffer.alloc(1)]), Buffer.concat([token, token])])
    assert.equal(findKey([key], { request, token: wrong }), -1);
});

it('takes no token of zeros for one of a wrong length', () => {
  assert.equal(findKey([key], { request: Buffer.from('a'), token: Buffer.alloc(32) }), -1);
});

it('tries every key, whatever comes out: neither the first right one nor a short token saves work', () => {
  const request = Buffer.from('{}');
  const right = createHmac('sha256', key).update(request).digest();
  for (const token of [right, Buffer.alloc(32, 1), Buffer.alloc(3), Buffer.alloc(0)]) {
    const seen: number[] = [];
    const keys = new Proxy([key, other, Buffer.from('aa'.repeat(16), 'hex')], {
      get: (list, property, receiver) => {
        if (typeof property === 'string' && /^\d+$/.test(property)) seen.push(Number(property));
        return Reflect.get(list, property, receiver) as unknown;
      },
    });
    assert.equal(findKey(keys, { request, token }), token === right ? 0 : -1);
    assert.deepEqual([...new Set(seen)].sort(), [0, 1, 2]);
  }
});
