/** Files that the configuration names for a component: without them it would end itself again and again, with the reason in its log only. */
import { access, constants } from 'node:fs/promises';
import { systemCode } from '@rfo/foundation';
import { type Check, type Finding, failed } from './finding.ts';

const keys = [
  'audit-policy-file',
  'pod-security-admission-config-file',
  'image-credential-provider-bin-dir',
  'image-credential-provider-config',
] as const;

export const checkNamedFiles: Check = async ({ config }) => {
  const findings = await Promise.all(
    keys.map(async (key): Promise<Finding[]> => {
      const path = config[key];
      const code = path === undefined ? undefined : await unreadable(path);
      return code === undefined ? [] : [failed(key, `${key}: ${path} cannot be read (${code})`, `Put it there, or leave ${key} out`)];
    }),
  );
  return findings.flat();
};

async function unreadable(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}
