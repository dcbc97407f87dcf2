/** The fields of a request that is an object of texts and nothing else: of certinfo and bundle. */
import { GoJsonError } from '../api/go-json.ts';
import { goMap, goString, readGo } from '../api/go-types.ts';
import { CfsslError } from '../cfssl-error.ts';

/** @throws CfsslError 0 under status 500 with Go's words: cfssl does not call what is no JSON a bad request here */
export function readFields(body: Uint8Array): ReadonlyMap<string, string> {
  try {
    return readGo(body, goMap(goString));
  } catch (error) {
    if (error instanceof GoJsonError) throw new CfsslError(0, error.message, 500);
    throw error;
  }
}
