/** For tests: `rfo ca serve` on free ports of loopback, in this process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '@rfo/foundation';
import { loadArguments, loadCaOptions } from '@rfo/schema';
import { ask, type Question, type Reply, sealed } from './api/api.testing.ts';
import { caPlace } from './keys/keys.testing.ts';
import { bootCa, type RunningCa } from './serve.ts';

export type ServedCa = Awaited<ReturnType<typeof serveCa>>;

/**
 * @param argv flags of `serve`; `--dir` stands there already
 * @param prepare what is done to the folder before
 */
export async function serveCa(
  argv: readonly string[] = [],
  prepare: (place: ReturnType<typeof caPlace>) => Promise<void> = (place) => place.init(),
) {
  const place = caPlace();
  const lines: string[] = [];
  try {
    await prepare(place);
    const { caServeConfig } = await loadCaOptions();
    const { values } = loadArguments(caServeConfig, { argv: ['--dir', place.dir, '--host', '127.0.0.1', ...argv], env: {} });
    // Ports that are free are none that a user may write.
    const config = { ...values, 'port': 0, 'ocsp-port': 0, 'seed-port': 0 };
    const log = createLog({ write: (line) => lines.push(line) });
    const running: RunningCa = await bootCa({ config, env: {}, life: place.life, log, clock: place.clock });
    const { ports } = running;
    const secure = !config['cfssl-compat'].some((name) => name === 'all' || name === 'plain-http');
    return {
      ...place,
      ...{ running, lines, config },
      file: (name: string): string => readFileSync(join(place.dir, name), 'utf8'),
      /** Of the port of the API. */
      ask: (question: Question): Promise<Reply> => ask({ port: ports.api, secure }, question),
      post: (endpoint: string, body: object, more: Partial<Question> = {}): Promise<Reply> =>
        ask({ port: ports.api, secure }, { path: `/api/v1/cfssl/${endpoint}`, method: 'POST', body, ...more }),
      /** Of the port of OCSP and CRL. */
      fetch: (path: string): Promise<Response> => fetch(`http://127.0.0.1:${ports.status}${path}`, { signal: AbortSignal.timeout(90_000) }),
      [Symbol.asyncDispose]: () => place.life.end(),
    };
  } catch (error) {
    await place.life.end();
    throw error;
  }
}

/** The envelope of authsign, by the key of the folder's own configuration. */
export function sealedFor(served: Pick<ServedCa, 'file'>, inner: object): object {
  const { auth_keys: keys } = JSON.parse(served.file('ca-config.json')) as { auth_keys: { key1: { key: string } } };
  return sealed(inner, keys.key1.key);
}
