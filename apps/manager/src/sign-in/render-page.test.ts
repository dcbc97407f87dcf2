import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail } from '@rfo/foundation';
import { type Problem, problemOf } from './problem.ts';
import { type Page, renderPage } from './render-page.ts';
import { type Language, languages } from './texts.ts';

const of = (error: unknown): Problem => problemOf(error, (name) => (name === 'corp' ? 'Corp & Co' : name));
const shown = (page: Page, language: Language = 'en'): string => renderPage(page, language).body;
const told = (error: unknown, language: Language): string =>
  /<p class="problem"[^>]*>([^<]*)</.exec(shown({ kind: 'problem', problem: of(error), cli: undefined }, language))?.[1] ?? '';
const detail = (error: unknown): string =>
  /<span class="detail" lang="en">(.*?)<\/span>/.exec(shown({ kind: 'problem', problem: of(error), cli: undefined }))?.[1] ?? '';
/** The fields that somebody sees, by name. */
const fieldsIn = (body: string): ReadonlyMap<string, string> =>
  new Map([...body.matchAll(/<input name="([^"]*)"([^>]*)>/g)].map(([, name = '', rest = '']) => [name, rest]));
const typed = { username: 'ada', provider: 'corp' };

test('who has to wait is told how long, in his language, and never less than it is', () => {
  const limited = (seconds: number, language: Language): string => told(fail('sign-in-limited', { seconds }), language);
  assert.match(limited(45, 'en'), /Try again in 45 seconds\./);
  assert.match(limited(60, 'en'), /Try again in 1 minute\./);
  assert.match(limited(61, 'en'), /Try again in 2 minutes\./);
  assert.match(limited(61, 'zh-CN'), /请等待 2分钟后重试。/);
});

test('who is known at a provider and not allowed is told as whom, by the name that the page gives the provider', () => {
  const refused = fail('provider-not-allowed', { provider: 'corp', username: 'ada' });
  assert.match(told(refused, 'en'), /^Corp &#38; Co knows you as ada, who is not among those who may sign in here\. /);
  assert.match(told(refused, 'zh-CN'), /^Corp &#38; Co 确认你是 ada，但这个用户不在允许登录的名单中。/);
});

test('the code stands with each problem, and what exactly was found where that is meant for him', () => {
  assert.equal(detail(fail('sign-in-lost', {})), '<code>sign-in-lost</code>');
  assert.equal(
    detail(fail('provider-refused', { provider: 'corp', problem: 'access <denied>' })),
    '<code>provider-refused</code>: access &#60;denied&#62;',
  );
  const inside = fail('provider-unreachable', { provider: 'corp', problem: 'connect ECONNREFUSED 10.1.2.3:636' });
  assert.equal(detail(inside), '<code>provider-unreachable</code>');
});

test('of an error that people are not meant to meet nothing is told', () => {
  for (const error of [
    new Error('SECRET'),
    fail('internal', { what: 'SECRET' }),
    fail('role-unusable', { name: 'SECRET', problem: 'SECRET' }),
  ]) {
    const page = { kind: 'problem', problem: of(error), cli: undefined } as const;
    assert.equal(page.problem.status, 500);
    assert.ok(!shown(page).includes('SECRET'));
    assert.equal(detail(error), '<code>internal</code>');
  }
});

test('a page in Chinese has no English sentence left, and the other way round', () => {
  const cli = { port: 40404, challenge: 'c'.repeat(43), state: 's'.repeat(16) };
  const choices = [
    { name: 'corp', displayName: 'Corp', by: 'browser' } as const,
    { name: 'ldap', displayName: 'LDAP', by: 'password' } as const,
  ];
  const pages: readonly Page[] = [
    { kind: 'sign-in', choices, cli, problem: of(fail('credentials-refused', {})), typed },
    { kind: 'new-password', cli, problem: of(fail('password-repetition', {})), typed },
    { kind: 'grant', username: 'ada', csrf: 'x', cli },
    { kind: 'signed-in', username: 'ada', csrf: 'x' },
    { kind: 'problem', problem: of(fail('sign-in-lost', {})), cli },
  ];
  /** What is read: names, commands and codes are the same in each language. */
  const text = (page: Page, language: Language): string =>
    shown(page, language)
      .replace(/<(style|code|strong|option|span)[^>]*>[\s\S]*?<\/\1>/g, ' ')
      .replace(/<[^>]+>/g, ' ')
      .replace(/RFO|rfo|Corp|LDAP/g, ' ');
  for (const page of pages) {
    assert.doesNotMatch(text(page, 'zh-CN'), /[a-z]{2}/i, page.kind);
    assert.doesNotMatch(text(page, 'en'), /\p{Script=Han}/u, page.kind);
  }
});

test('one begins where he types first, and after a problem where he goes on, which is read to him there', () => {
  const first = fieldsIn(shown({ kind: 'sign-in', choices: [], cli: undefined }));
  assert.match(first.get('username') ?? '', / autofocus/);
  assert.doesNotMatch(first.get('password') ?? '', /autofocus|aria-/);
  const again = fieldsIn(shown({ kind: 'sign-in', choices: [], cli: undefined, problem: of(fail('credentials-refused', {})), typed }));
  assert.match(again.get('username') ?? '', / value="ada" aria-invalid="true"/);
  assert.match(again.get('password') ?? '', / autofocus aria-describedby="problem" aria-invalid="true"/);
  const links = shown({ kind: 'sign-in', choices: [{ name: 'corp', displayName: 'Corp', by: 'browser' }], cli: undefined });
  assert.doesNotMatch(links, /autofocus/);
});

test('a password manager knows each field, and a new password is typed twice', () => {
  const fields = fieldsIn(shown({ kind: 'new-password', cli: undefined, problem: of(fail('password-must-change', {})), typed }));
  const kinds = [...fields].map(([name, rest]) => `${name}: ${/autocomplete="([^"]*)"/.exec(rest)?.[1]}`);
  assert.deepEqual(kinds, [
    'username: username',
    'password: current-password',
    'newPassword: new-password',
    'newPasswordAgain: new-password',
  ]);
});

test('what went wrong stands in the title of the page, and a step that went well does not', () => {
  const titleOf = (error: Error): string =>
    /<title>(.*?)<\/title>/.exec(shown({ kind: 'new-password', cli: undefined, problem: of(error), typed }))?.[1] ?? '';
  assert.equal(titleOf(fail('password-weak', { problem: 'is the old one' })), 'Problem: Choose a new password · RFO');
  assert.equal(titleOf(fail('password-must-change', {})), 'Choose a new password · RFO');
});

test('every page names its language and that it depends on what was asked for', () => {
  for (const language of languages) {
    const { body, headers } = renderPage({ kind: 'signed-in', username: 'ada', csrf: 'x' }, language);
    assert.deepEqual([headers['content-language'], headers.vary], [language, 'accept-language']);
    assert.ok(body.includes(`<html lang="${language}">`));
  }
});
