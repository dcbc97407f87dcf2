/** Which profile a request means. */
import { CfsslError } from '../cfssl-error.ts';
import type { Compat } from '../signing/compat.ts';
import type { Profile, SigningConfig } from './types.ts';

/**
 * The profile of that name; no name means the default one. Throws CfsslError 5400 for an unknown name, unless the compatibility `default-profile`
 * makes it the default one too.
 */
export function findProfile(config: SigningConfig, name: string, compat: Compat): Profile {
  const found = name === '' ? undefined : config.profiles.get(name);
  if (found !== undefined) return found;
  if (name === '' || name === config.defaultProfile.name || compat.has('default-profile')) return config.defaultProfile;
  throw new CfsslError(5400, 'Unknown policy profile');
}
