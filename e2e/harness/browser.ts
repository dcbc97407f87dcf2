/**
 * Chromium on a host of the lab, as somebody who sits there uses it, driven from out here. It trusts the certificates that it is given and no others, as
 * an administrator sets it up: nothing is told to look away.
 */
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Life } from '@rfo/foundation';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { Host } from '../lab/index.ts';
import { keepComplaints } from './browser-complaints.ts';
import type { ScenarioContext } from './scenario.ts';

export type Visitor = {
  readonly page: Page;
  /** What went wrong in any page, or was loaded by one, so far. */
  readonly complaints: () => readonly string[];
  readonly leave: () => Promise<void>;
};

export type LabBrowser = {
  /** Somebody with a browser of his own, in which nobody else has been. */
  readonly visitor: (options: Pick<BrowserContextOptions, 'locale'>) => Promise<Visitor>;
  /** A step of the scenario; when it fails, pictures of what is open are kept with the logs of the host. */
  readonly step: ScenarioContext['step'];
};

/** Where Chromium of Debian and of its kin looks for what an administrator has set. */
const policyFile = '/etc/chromium/policies/managed/rfo.json';
/** In the lab there are addresses alone: a page of others that wants letters from the world does not wait for an answer that nobody gives. */
const noNames = 'MAP * ~NOTFOUND, EXCLUDE *.*.*.*';
/** Milliseconds for anything that is awaited in a page. */
const patience = 90_000;
/** As on a desktop. */
export const usualSize = { width: 1280, height: 800 };

/**
 * Starts it; it ends with the life.
 * @param options.trusted certificates, PEM: of CAs, or of servers that vouch for themselves
 * @param options.address origin of the pages that are watched for complaints; of others, such as those of a provider, nothing is noted
 */
export async function openBrowser(
  host: Host,
  options: { readonly trusted: readonly string[]; readonly address: string; readonly life: Life; readonly step: ScenarioContext['step'] },
): Promise<LabBrowser> {
  const { trusted, address, life } = options;
  // Some megabytes: no other scenario has to load it.
  const { chromium } = await import('playwright-core');
  await host.writeFile(policyFile, JSON.stringify({ CACertificates: trusted.map(derOf) }));
  const browser = await chromium.launch({
    executablePath: await writeStarter(host),
    // Root has no other way than without a sandbox; the host is what it is kept in.
    args: ['--no-sandbox', `--host-resolver-rules=${noNames}`],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/root', LANG: 'C.UTF-8' },
    timeout: patience,
    // The runner of scenarios ends what there is.
    ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
  });
  life.defer(() => browser.close());

  const step: LabBrowser['step'] = (title, act) =>
    options.step(title, async () => {
      try {
        return await act();
      } catch (error) {
        const open = browser.contexts().flatMap((context) => context.pages());
        // What they cannot show must not hide what has failed.
        await Promise.allSettled(open.map((page, at) => keepPicture(page, join(host.dir, 'logs', `${slug(title)}-${at + 1}`))));
        throw error;
      }
    });
  return { step, visitor: async (more) => visit(await browser.newContext({ ...more, viewport: usualSize }), address) };
}

async function visit(context: BrowserContext, address: string): Promise<Visitor> {
  context.setDefaultTimeout(patience);
  const complaints = keepComplaints(context, address);
  return { page: await context.newPage(), complaints, leave: () => context.close() };
}

/** A program out here that is Chromium inside: Playwright talks to it by two pipes, which go through. */
async function writeStarter(host: Host): Promise<string> {
  const file = join(host.dir, 'chromium.sh');
  const command = host.inside(['chromium']).map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`);
  await writeFile(file, `#!/bin/sh\nexec ${command.join(' ')} "$@"\n`);
  await chmod(file, 0o700);
  return file;
}

function derOf(pem: string): string {
  const [, der] = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/.exec(pem) ?? [];
  return der?.replace(/\s/g, '') ?? assert.fail('no certificate in PEM');
}

async function keepPicture(page: Page, file: string): Promise<void> {
  await page.screenshot({ path: `${file}.png`, fullPage: true, timeout: 20_000 });
  await writeFile(`${file}.html`, `<!-- ${page.url()} -->\n${await page.content()}`);
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60);
}
