/** What a browser has to complain of on pages of the manager: errors on the console, what its policy refused, and whatever a page loads beside itself. */
import type { BrowserContext } from 'playwright-core';

/**
 * Notes it from now on; the function gives what there is so far.
 * @param address origin of the pages that are watched
 */
export function keepComplaints(context: BrowserContext, address: string): () => readonly string[] {
  const complaints: { readonly text: string; readonly url: string }[] = [];
  /** Pages that were answered with an error: the browser says so on the console, and that is what was to come. */
  const refusals = new Set<string>();
  const isOurs = (url: string): boolean => url.startsWith(`${address}/`);
  context.on('console', (message) => {
    const { url } = message.location();
    if (isOurs(url === '' ? (message.page()?.url() ?? '') : url) && ['error', 'warning'].includes(message.type()))
      complaints.push({ text: `${message.type()}: ${message.text()}`, url });
  });
  context.on('weberror', (error) => {
    const url = error.page()?.url() ?? '';
    if (isOurs(url)) complaints.push({ text: `a script failed: ${error.error().message}`, url });
  });
  context.on('request', (request) => {
    if (request.isNavigationRequest()) return;
    const page = request.frame().url();
    if (isOurs(page)) complaints.push({ text: `it loads ${request.url()}`, url: page });
  });
  context.on('response', (response) => {
    if (response.request().isNavigationRequest() && response.status() >= 400) refusals.add(response.url());
  });
  return () =>
    complaints
      .filter(
        ({ text, url }) => !(refusals.has(url) && /^error: Failed to load resource: the server responded with a status of 4/.test(text)),
      )
      .map(({ text, url }) => `${url}: ${text}`);
}
