import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { type LabBrowser, openBrowser } from '../../harness/browser.ts';
import { caOf, startBrowserLogin } from '../../harness/manager/browser-login.ts';
import { type Manager, managerOn } from '../../harness/manager/manager.ts';
import { clientSecret, outsideCa, passwordAt, searcher, startOutside } from '../../harness/manager/outside.ts';
import { passwordOf } from '../../harness/manager/people.ts';
import { bounded, type Node } from '../../harness/node.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { asPerson, textOf } from './person.ts';
import type { Locale } from './words.ts';

const locales: readonly Locale[] = ['en', 'zh-CN'];
const languageOf = { 'en': 'English', 'zh-CN': 'Chinese' } as const satisfies Record<Locale, string>;

export const scenario: Scenario = {
  name: 'sign-in-pages',
  about: 'people sign in by Chromium, in English and in Chinese: every page serves everybody, loads nothing, and says what is to be done',
  short: false,
  timeout: 900_000,
  run: async (context) => {
    const { step, life, addNode } = context;
    const { signal } = life;
    const hub = await addNode('hub');
    const manager = managerOn(hub, context);
    const once = await step('a cluster gets ready, and a manager beside it', async () => {
      await hub.start();
      await hub.untilReady();
      return await manager.startFirst();
    });
    const outside = await step('an OpenID provider and a directory start', async () => {
      const started = await startOutside(hub, { manager: manager.address, signal });
      await started.setOpenidPeople({ ada: ['builders'], eve: ['strangers'] });
      await started.setDirectoryPeople({ bob: ['readers'] });
      return started;
    });
    const browser = await step('a browser starts that trusts both', async () => {
      const trusted = [await caOf({ hub, manager }), await hub.host.readFile(outsideCa)];
      return await openBrowser(hub.host, { trusted, address: manager.address, life, step });
    });

    await checkFirstPassword({ browser, manager }, { locale: 'en', username: 'admin', once });
    await step('the administrator goes on by the command line, and sets both providers up', async () => {
      await manager.signIn('admin', passwordOf('admin'));
      const corp = ['--type', 'oidc', '--set', `issuer=${outside.issuer}`, '--set', 'clientId=rfo', '--allow-group', 'builders'];
      const reach = ['--ca-file', outsideCa, '--secret-file', '-'];
      await manager.as('admin', ['providers', 'create', 'corp', ...corp, ...reach], `${clientSecret}\n`);
      const bases = ['--set', 'userBase=ou=people,dc=example,dc=org', '--set', 'groupBase=ou=groups,dc=example,dc=org'];
      const ldap = ['--type', 'ldap', '--set', `servers=${outside.directory}`, ...bases, '--set', `bindDn=${searcher.dn}`];
      await manager.as('admin', ['providers', 'create', 'ldap', ...ldap, '--allow-everybody', ...reach], `${searcher.password}\n`);
    });
    const given = (await manager.as('admin', ['users', 'create', 'lin'])).trim();
    await checkFirstPassword({ browser, manager }, { locale: 'zh-CN', username: 'lin', once: given });
    for (const locale of locales) {
      await checkProviders({ browser, manager }, locale);
      await checkCommand(context, { browser, manager, hub }, locale);
    }
  },
};

type Place = { readonly browser: LabBrowser; readonly manager: Manager };

async function checkFirstPassword(
  { browser, manager }: Place,
  { locale, username, once }: { readonly locale: Locale; readonly username: string; readonly once: string },
): Promise<void> {
  const own = passwordOf(username);
  await browser.step(`${username} replaces the first password in ${languageOf[locale]}, and is told what is wrong with others`, () =>
    asPerson(browser, locale, async ({ page, say, field, press, enter, sees, isTold, isAt }) => {
      const answer = await page.goto(`${manager.address}/sign-in`);
      const headers = (await answer?.allHeaders()) ?? {};
      assert.deepEqual([headers['content-language'], headers.vary], [locale, 'accept-language']);
      await sees(say.signIn);
      await chooseOwnAccount(field(say.account));
      // By the keyboard alone.
      if (locale === 'en') await isAt('username');
      else await field(say.username).focus();
      await page.keyboard.type(username);
      await page.keyboard.press('Tab');
      await page.keyboard.type(once);
      await enter();
      await sees(say.choosePassword);
      const choose = async (fresh: string, again: string): Promise<void> => {
        await isAt('password');
        await field(say.oldPassword).fill(once);
        await field(say.newPassword).fill(fresh);
        await field(say.newPasswordAgain).fill(again);
        await press(say.setPassword);
      };
      await choose(once, once);
      await sees(say.choosePassword);
      await isTold(say.weak, 'password-weak');
      await choose(own, `${own}!`);
      await isTold(say.differ, 'password-repetition');
      await choose(own, own);
      await sees(say.signedIn);
      await page.getByText(say.signedInAs(username), { exact: true }).waitFor();
      await press(say.signOut);
      await sees(say.signIn);
    }),
  );
  await browser.step(
    `${username} is told in ${languageOf[locale]} that a password is wrong, keeps his name, and comes in by the right one`,
    () =>
      asPerson(browser, locale, async ({ page, say, field, press, sees, isTold, isAt }) => {
        await page.goto(`${manager.address}/sign-in`);
        const attempt = async (password: string): Promise<void> => {
          await field(say.password).fill(password);
          await press(say.signIn);
        };
        await chooseOwnAccount(field(say.account));
        await field(say.username).fill(username);
        for (const password of [once, 'a wrong one']) {
          await attempt(password);
          await isTold(say.wrong, 'credentials-refused');
          await isAt('password', say.wrong);
          assert.equal(await field(say.username).inputValue(), username);
        }
        await sees(say.signIn);
        await attempt(own);
        await page.getByText(say.signedInAs(username), { exact: true }).waitFor();
      }),
  );
}

/** Where there is a directory it stands first. */
async function chooseOwnAccount(account: Locator): Promise<void> {
  if ((await account.count()) > 0) await account.selectOption('local');
}

async function checkProviders({ browser, manager }: Place, locale: Locale): Promise<void> {
  const language = languageOf[locale];
  await browser.step(`somebody signs in by the OpenID provider in ${language}`, () =>
    asPerson(browser, locale, async ({ page, say, follow, sees, vouchFor }) => {
      await page.goto(`${manager.address}/sign-in`);
      await sees(say.signIn);
      await follow(say.signInBy('corp'));
      await vouchFor('ada');
      await sees(say.signedIn);
      await page.getByText(say.signedInAs('ada'), { exact: true }).waitFor();
    }),
  );
  await browser.step(`who is known there and not allowed here is told so in ${language}, and led back`, () =>
    asPerson(browser, locale, async ({ page, say, follow, sees, isTold, vouchFor }) => {
      await page.goto(`${manager.address}/sign-in/to/corp`);
      await vouchFor('eve');
      await isTold(say.notAllowed, 'provider-not-allowed');
      await follow(say.back);
      await sees(say.signIn);
    }),
  );
  await browser.step(`somebody signs in by the directory in ${language}`, () =>
    asPerson(browser, locale, async ({ page, say, field, press, sees }) => {
      await page.goto(`${manager.address}/sign-in`);
      await field(say.account).selectOption('ldap');
      await field(say.username).fill('bob');
      await field(say.password).fill(passwordAt('bob'));
      await press(say.signIn);
      await sees(say.signedIn);
      await page.getByText(say.signedInAs('bob'), { exact: true }).waitFor();
    }),
  );
  await browser.step(`who has guessed too often is told in ${language} how long he has to wait`, () =>
    asPerson(browser, locale, async ({ page, say, field, press, sees, isTold }) => {
      await page.goto(`${manager.address}/sign-in`);
      await field(say.account).selectOption('local');
      await field(say.username).fill(`a-guest-${locale}`);
      for (const code of [...Array<string>(5).fill('credentials-refused'), 'sign-in-limited']) {
        await field(say.password).fill('a guess');
        await press(say.signIn);
        assert.equal(await textOf(page.getByRole('alert').locator('code')), code);
      }
      await isTold(say.wait, 'sign-in-limited');
      await sees(say.signIn);
    }),
  );
}

async function checkCommand(
  { life: { signal } }: ScenarioContext,
  { browser, manager, hub }: Place & { readonly hub: Node },
  locale: Locale,
): Promise<void> {
  const person = `ada-${locale}`;
  await browser.step(`rfo manager login waits for a browser in ${languageOf[locale]}, and ends signed in`, async () => {
    const { login, address } = await startBrowserLogin({ hub, manager }, { person, flags: [], signal });
    await asPerson(browser, locale, async ({ page, say, follow, press, sees, isTold, vouchFor }) => {
      await page.goto(address.slice(0, -20));
      await isTold(say.cut, 'sign-in-form');
      await page.goto(address);
      await sees(say.signIn);
      await page.getByText('rfo manager login').waitFor();
      await follow(say.signInBy('corp'));
      await vouchFor('ada');
      await sees(say.grant);
      await press(say.grantYes);
      assert.match(page.url(), /^http:\/\/127\.0\.0\.1:\d+\/\?code=/);
      assert.match(await textOf(page.locator('p')), say.close);
    });
    assert.equal(await bounded(login.exited, { signal, what: 'the end of rfo manager login', within: 90_000 }), 0);
    const self = JSON.parse(await manager.as(person, ['whoami', '-o', 'json'])) as { username: string; groups: string[] };
    assert.deepEqual([self.username, self.groups], ['ada', ['corp:builders']]);
  });
}
