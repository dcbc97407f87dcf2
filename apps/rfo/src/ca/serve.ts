/** Runs a CA. Read it from top to bottom: this is the order in which things happen, and the only place that knows every part. */
import { type Clock, type Life, type Log, systemClock } from '@rfo/foundation';
import type { CaServeConfig } from '@rfo/schema';
import { startApi } from './api/start-api.ts';
import { pinOf } from './keys/pin.ts';
import type { Variables } from './keys/read-key.ts';
import { type ServeFiles, serveFiles } from './serve-files.ts';
import { type LiveInputs, type LiveParts, openLiveParts } from './serve-live.ts';
import { renderServing } from './serve-text.ts';
import { serveStatus } from './status/serve-status.ts';
import { openStore } from './store/open-store.ts';
import { startSeedServer } from './user-data/seed-server.ts';

export type ServeOptions = {
  readonly config: CaServeConfig;
  readonly env: Variables;
  /** The servers end with it, then what is under way is answered, then the database is closed. */
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
};

export type RunningCa = {
  /** Those that are listened on. */
  readonly ports: { readonly api: number; readonly status: number; readonly seed: number | undefined };
  /** What somebody who started it wants to know, within one screen. */
  readonly screen: () => string;
  /** Takes keys, certificates and configuration from their files; what cannot be used is told in the log, and the former goes on. */
  readonly reload: () => Promise<void>;
};

/**
 * Resolves when everything listens.
 * @throws ca-missing, ca-database-in-use, port-taken, and what is wrong with a file
 */
export async function bootCa({ config, env, life, log, clock = systemClock }: ServeOptions): Promise<RunningCa> {
  const files = await serveFiles(config);
  const opened = await openStore({ file: files.database, clock, log: log.part('store'), server: true });
  life.defer(() => opened.close());
  const inputs: LiveInputs = { config, files, opened, env, clock, log, life };
  let live = await openLiveParts(inputs);
  tell(live, log);

  const host = config.address;
  const common = { life, clock };
  const status = await serveStatus({
    ocsp: () => live.status.ocsp,
    handler: (request, response) => live.statusPort(request, response),
    ...{ host: config['ocsp-address'] ?? host, port: config['ocsp-port'], life },
  });
  const api = await startApi({
    ...common,
    handler: (request, response) => live.api(request, response),
    ...{ host, port: config.port, tls: tlsOf(config, { files, plain: live.compat.has('plain-http') }), log: log.part('api') },
  });
  const seed =
    config.seed === undefined
      ? undefined
      : await startSeedServer({ ...common, dir: config.seed, host, port: config['seed-port'], log: log.part('seed') });
  const ports = { api: api.port, status: status.port, seed: seed?.port };

  const reload = async (): Promise<void> => {
    try {
      const next = await openLiveParts(inputs);
      const former = live;
      live = next;
      log.info('configuration and keys were read again');
      tell(live, log);
      await former.retire();
    } catch (error) {
      log.error('configuration and keys could not be read again; the former go on', { error });
    }
  };
  return { ports, reload: oneAtATime(reload), screen: () => renderServing({ config, ports, files, live }) };
}

/** One line for each state that somebody may be surprised by. */
function tell({ authorities, compat, endpoints }: LiveParts, log: Log): void {
  const { present, previous } = authorities;
  const until = new Date(present.certificate.notAfter).toISOString();
  log.info('the CA signs', { pin: pinOf(present.certificate), until });
  if (previous !== undefined) log.info('the CA before it answers for what it signed', { pin: pinOf(previous.certificate) });
  for (const { name, why } of endpoints.disabled) log.info(`endpoint '${name}' is disabled: ${why}`);
  if (compat.size > 0) log.warn('as lenient as cfssl', { compat: [...compat].join(',') });
}

function tlsOf(
  config: CaServeConfig,
  { files, plain }: { readonly files: ServeFiles; readonly plain: boolean },
): Parameters<typeof startApi>[0]['tls'] {
  if (plain) return undefined;
  const { certificate, key } = files.tls ?? { certificate: files.paths.tls, key: files.paths.tlsKey };
  const operators = config['mutual-tls-ca'];
  return {
    ...{ certFile: certificate, keyFile: key, minVersion: `TLSv${config['min-tls-version']}` as const, ownFile: files.paths.clients },
    ...(operators !== undefined && { operatorsFile: operators }),
  };
}

/** Those who ask while it runs share one more run, which begins after they asked. */
function oneAtATime(act: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const run = (): Promise<void> => {
    running = act().finally(() => {
      running = undefined;
    });
    return running;
  };
  return () => {
    if (running === undefined) return run();
    next ??= running.then(() => {
      next = undefined;
      return run();
    });
    return next;
  };
}
