/** Signing in by a name and a password on the page: over a real API server. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Life } from '@rfo/foundation';
import { type Lab, type Replica, startLab } from '../identity/identity.testing.ts';
import { type Browser, servePages } from './sign-in.testing.ts';

const life = new Life();
let lab: Lab;
let one: Replica;
let browser: () => Browser;

before(async () => {
  lab = await startLab();
  one = await lab.open();
  ({ browser } = await servePages(one, life));
});
after(async () => {
  await life.end();
  await one?.end();
  await lab?.stop();
});

const callerOf = (person: Browser) =>
  one.identity.authenticate({ cookie: [...person.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }, { method: 'GET' });
const codeIn = (body: string): string | undefined => /<code>([a-z-]+)<\/code>/.exec(body)?.[1];

describe('the form for a name and a password', () => {
  it('comes in Chinese to who wants it and in English to all others, and so does what goes wrong', async () => {
    for (const [wanted, language, title, problem] of [
      ['zh-CN,zh;q=0.9,en;q=0.8', 'zh-CN', '登录', '用户名或密码不正确。'],
      ['en-GB,zh;q=0.1', 'en', 'Sign in', 'The user name or the password is not right.'],
    ] as const) {
      const asked = { 'accept-language': wanted };
      const { headers, body } = await browser().get('/sign-in', asked);
      assert.deepEqual([headers['content-language'], headers.vary], [language, 'accept-language'], wanted);
      assert.ok(body.includes(`<html lang="${language}">`) && body.includes(`<h1>${title}</h1>`), body);
      const wrong = await browser().post('/sign-in', { username: 'nobody', password: 'a guess' }, asked);
      assert.deepEqual([wrong.status, codeIn(wrong.body), wrong.body.includes(problem)], [401, 'credentials-refused', true]);
    }
  });

  it('takes a password from its own form alone', async () => {
    await one.identity.createUser({ username: 'local-lou', password: 'a password of Lou', mustChange: false });
    const form = { username: 'local-lou', password: 'a password of Lou' };
    const person = browser();
    for (const headers of [{ origin: 'https://evil.example.com' }, { origin: 'null' }]) {
      assert.equal((await person.post('/sign-in', form, headers)).status, 403);
    }
    const wrong = await person.post('/sign-in', { ...form, password: 'another one' });
    assert.equal(wrong.status, 401);
    assert.match(wrong.body, /value="local-lou"/);
    assert.equal(person.cookies.size, 0);
    assert.equal((await person.post('/sign-in', form)).location, '/sign-in');
    assert.match((await person.get('/sign-in')).body, /signed in as <strong>local-lou</);
  });

  it('has a password that was good once replaced on the way', async () => {
    await one.identity.createUser({ username: 'new-nina', password: 'given only once' });
    const person = browser();
    const form = { username: 'new-nina', password: 'given only once' };
    const asked = await person.post('/sign-in', form);
    assert.equal(asked.status, 403);
    assert.match(asked.body, /name="newPassword"/);
    const [newPassword, other] = ['one of her own choice', 'one of her own chioce'];
    for (const [given, code] of [
      [{ newPassword }, 'password-repetition'],
      [{ newPassword, newPasswordAgain: other }, 'password-repetition'],
      [{ newPassword: 'too short', newPasswordAgain: 'too short' }, 'password-weak'],
    ] as const) {
      const { status, body } = await person.post('/sign-in', { ...form, ...given });
      assert.deepEqual([status, codeIn(body)], [400, code]);
      assert.match(body, /name="newPasswordAgain"/);
    }
    const wrong = await person.post('/sign-in', { ...form, password: 'another one', newPassword, newPasswordAgain: newPassword });
    assert.deepEqual([wrong.status, codeIn(wrong.body), /name="newPasswordAgain"/.test(wrong.body)], [401, 'credentials-refused', true]);
    assert.equal(person.cookies.size, 0);
    assert.equal((await person.post('/sign-in', { ...form, newPassword, newPasswordAgain: newPassword })).status, 303);
    assert.equal((await callerOf(person)).username, 'new-nina');
  });
});
