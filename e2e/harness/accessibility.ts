/** Whether everybody can use a page: axe looks at it in light, in dark and on a small telephone, where nothing may stand out at the side. */
import assert from 'node:assert/strict';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { usualSize } from './browser.ts';

/** CSS pixels of the smallest telephones (WCAG 2.2, 1.4.10). */
const telephone = { width: 320, height: 568 };
const looks = [
  { name: 'light', colorScheme: 'light', size: usualSize },
  { name: 'dark', colorScheme: 'dark', size: usualSize },
  { name: 'narrow', colorScheme: 'light', size: telephone },
] as const;

/** What axe looks for by itself, and whether one can hit what one is to press (WCAG 2.2, 2.5.8), which it does not. */
const options = { rules: { 'target-size': { enabled: true } } };
/** It has looked at nothing where it has not found these to be right. */
const alwaysThere = ['color-contrast', 'document-title', 'html-has-lang', 'landmark-one-main', 'target-size'];

/** @throws what axe finds, each with the element and how it sees it; and where a page is broader than the telephone */
export async function assertAccessible(page: Page): Promise<void> {
  const { default: axe } = await import('axe-core');
  const debug = await page.context().newCDPSession(page);
  /** Not by a script of the page: its policy lets none run. */
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await debug.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
    return result.value as T;
  };
  try {
    await evaluate(`${axe.source};undefined`);
    for (const { name, colorScheme, size } of looks) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(size);
      const { violations, incomplete, passes } = await evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`);
      // Letters on a ground that it cannot tell are not yet right.
      const unsure = incomplete.filter(({ id }) => id === 'color-contrast');
      const found = [...violations, ...unsure].flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary ?? ''}`),
      );
      assert.deepEqual(found, [], `${page.url()} in ${name}`);
      const right = passes.map(({ id }) => id);
      assert.deepEqual(
        alwaysThere.filter((id) => !right.includes(id)),
        [],
        `${page.url()} in ${name} was not looked at`,
      );
      const width = await evaluate<number>('document.documentElement.scrollWidth');
      assert.ok(width <= size.width, `${page.url()} in ${name} is ${width} wide`);
    }
  } finally {
    await debug.detach();
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(usualSize);
  }
}
