/** What agents are told about the manager: where it is and how it is known. A change is staged: they get the new values beside the old ones first. */
import { hash } from 'node:crypto';
import type { AgentSettings } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';

/**
 * Names of Settings. `*-next` hold what will be: agents take both the old and the new from then on, the old one first. When all have confirmed
 * (`settingsProgress`, and the annotation `rfo.io/moved` of the Setting), the manager gets the new certificate or name, and the new values
 * replace the old.
 */
export const settingNames = {
  url: 'server-url',
  ca: 'ca-bundle',
  nextUrl: 'server-url-next',
  nextCa: 'ca-bundle-next',
} as const;

export type SettingsInput = {
  /** Values of Settings; undefined where there is none. */
  readonly url: string | undefined;
  readonly ca: string | undefined;
  readonly nextUrl: string | undefined;
  readonly nextCa: string | undefined;
  /** The authority of the certificate that the manager serves with; undefined where everybody trusts it. */
  readonly authority: string | undefined;
};

/** undefined as long as nobody has said by what address agents reach the manager. */
export function renderAgentSettings({ url, ca, nextUrl, nextCa, authority }: SettingsInput): AgentSettings | undefined {
  const servers = [...new Set([url, nextUrl].flatMap((each) => (each ? [each.replace(/\/+$/, '')] : [])))];
  if (url === undefined || servers.length === 0) return undefined;
  const known = ca?.trim() || authority?.trim();
  const parts = [known, nextCa?.trim()].flatMap((each) => (each ? [each] : []));
  const settings = { servers, ca: parts.map((each) => `${each}\n`).join(''), system: !known };
  return { ...settings, hash: hash('sha256', JSON.stringify(settings)).slice(0, 16) };
}

/** The settings as they are now. */
export function readAgentSettings(objects: Pick<Objects, 'settings'>, authority: () => string | undefined): AgentSettings | undefined {
  const value = (name: string): string | undefined => objects.settings.get(name)?.spec.value || undefined;
  const { url, ca, nextUrl, nextCa } = settingNames;
  return renderAgentSettings({ url: value(url), ca: value(ca), nextUrl: value(nextUrl), nextCa: value(nextCa), authority: authority() });
}
