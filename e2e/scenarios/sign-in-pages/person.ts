/** Somebody at the pages for signing in, by a real browser in his language: he finds everything by what he reads. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { assertAccessible } from '../../harness/accessibility.ts';
import type { LabBrowser } from '../../harness/browser.ts';
import { type Locale, type Words, words } from './words.ts';

export type Person = {
  readonly page: Page;
  readonly say: Words;
  readonly field: (label: string) => Locator;
  /** Each goes on to another page, and is over when that is there. */
  readonly press: (button: string) => Promise<void>;
  readonly follow: (link: string) => Promise<void>;
  readonly enter: () => Promise<void>;
  /** He is at the page with this heading; everybody can use it, and it is in his language. */
  readonly sees: (heading: string) => Promise<void>;
  /** The problem that is told, and the code that stands with it. */
  readonly isTold: (problem: RegExp, code: string) => Promise<void>;
  /** The name of the field that he types into without having gone to one, and what is read to him there. */
  readonly isAt: (name: string, description?: RegExp) => Promise<void>;
  /** Signs in at the OpenID provider, whose pages are its own, and agrees to what it asks. */
  readonly vouchFor: (name: string) => Promise<void>;
};

/** Does it in a browser in which nobody has been, and looks in the end whether the browser has complained of any page. */
export async function asPerson(browser: LabBrowser, locale: Locale, act: (person: Person) => Promise<void>): Promise<void> {
  const { page, complaints, leave } = await browser.visitor({ locale });
  const goOn = async (act: Promise<void>): Promise<void> => void (await Promise.all([page.waitForEvent('load'), act]));
  const press: Person['press'] = (name) => goOn(page.getByRole('button', { name, exact: true }).click());
  await act({
    page,
    say: words[locale],
    field: (label) => page.getByLabel(label, { exact: true }),
    press,
    follow: (name) => goOn(page.getByRole('link', { name, exact: true }).click()),
    enter: () => goOn(page.keyboard.press('Enter')),
    sees: async (heading) => {
      await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
      assert.equal(await page.locator('html').getAttribute('lang'), locale);
      await assertAccessible(page);
    },
    isTold: async (problem, code) => {
      const told = page.getByRole('alert');
      assert.match(await textOf(told), problem);
      assert.equal(await textOf(told.locator('code')), code);
    },
    isAt: async (name, description) => {
      const focused = page.locator(`[name="${name}"]:focus`);
      await focused.waitFor();
      if (description === undefined) return;
      const by = await focused.getAttribute('aria-describedby');
      assert.match(await textOf(page.locator(`#${by}`)), description);
    },
    vouchFor: async (name) => {
      await page.locator('input[name=login]').fill(name);
      await page.locator('input[name=password]').fill('any');
      await press('Sign-in');
      await press('Continue');
    },
  });
  assert.deepEqual(complaints(), []);
  await leave();
}

export async function textOf(place: Locator): Promise<string> {
  return (await place.textContent()) ?? '';
}
