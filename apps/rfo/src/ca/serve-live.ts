/**
 * What of a running CA can be replaced as one: its keys, its signing configuration, and all that is made of them. Reloading makes a second one and lets
 * the first go when its last request is answered.
 */
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Clock, Life, Log } from '@rfo/foundation';
import { certificateInfos } from '@rfo/pki';
import type { CaServeConfig } from '@rfo/schema';
import { renderMetrics } from '../server/metrics.ts';
import { cfsslEndpoints, type Endpoints } from './api/cfssl-endpoints.ts';
import { createApi, crlPaths, type Handler } from './api/create-api.ts';
import { bundleEndpoint, bundleOfIssued } from './api/endpoints/bundle.ts';
import { certinfoEndpoint } from './api/endpoints/certinfo.ts';
import { scanEndpoints } from './api/endpoints/scan.ts';
import type { ApiParts } from './api/parts.ts';
import { createBundler } from './bundle/bundler.ts';
import { openStash } from './bundle/stash.ts';
import { systemRoots } from './bundle/system-roots.ts';
import { compileGoRegexp } from './config/go-regexp.ts';
import type { SigningConfig } from './config/types.ts';
import { openAuthorities, openAuthority } from './keys/authority.ts';
import { type Authorities, ownFilesOf, writeClientAuthorities } from './keys/folder-files.ts';
import { keepOwnFiles } from './keys/keep-own-files.ts';
import { ensureOwnFiles } from './keys/own-files.ts';
import type { Variables } from './keys/read-key.ts';
import { readConfigFile } from './keys/signing-config.ts';
import { createRenewal } from './nodes/renewal.ts';
import { createOutbound } from './outbound/outbound.ts';
import type { ServeFiles } from './serve-files.ts';
import { type Compat, parseCompat } from './signing/compat.ts';
import { createIssuer } from './signing/create-issuer.ts';
import { createStatus, type Status } from './status/status.ts';
import type { OpenStore } from './store/open-store.ts';

export type LiveInputs = {
  readonly config: CaServeConfig;
  readonly files: ServeFiles;
  readonly opened: OpenStore;
  readonly env: Variables;
  readonly clock: Clock;
  readonly log: Log;
  /** The whole program's. */
  readonly life: Life;
};

export type LiveParts = {
  readonly authorities: Authorities;
  readonly signing: SigningConfig;
  readonly compat: Compat;
  readonly endpoints: Endpoints;
  readonly status: Status;
  /** Of the two ports. */
  readonly api: Handler;
  readonly statusPort: Handler;
  /** Ends it when all that came in is answered. */
  readonly retire: () => Promise<void>;
};

/**
 * Opens keys and configuration, makes what certificates of its own are missing, and builds both faces on them.
 * @throws what is wrong with any of the files
 */
export async function openLiveParts(inputs: LiveInputs): Promise<LiveParts> {
  const { config, files, opened, env, clock, log } = inputs;
  const compat = parseCompat(config['cfssl-compat'].join(','));
  const authorities =
    files.ca === undefined
      ? await openAuthorities(files.paths.dir, env)
      : { present: await openAuthority(files.ca, env), previous: undefined };
  const signing = await readConfigFile(files.config, {
    env,
    allowEmptyKeys: compat.has('empty-keys'),
    mustExist: config.config !== undefined,
  });
  const given = { responder: files.responder, tls: files.tls, plain: compat.has('plain-http') };
  const own = await ownFilesOf(files.paths, { authorities, hosts: config.host, urls: signing.defaultProfile, given });
  const context = { store: opened.store, clock, log };
  const { due } = await ensureOwnFiles(own, context);
  await writeClientAuthorities(files.paths, authorities);

  const life = inputs.life.child();
  try {
    keepOwnFiles({ own, due, life, ...context });
    const status = await createStatus({
      store: opened.store,
      authorities: statusAuthorities(files, authorities),
      life,
      log: log.part('status'),
      clock,
    });
    const issuer = createIssuer({ ...authorities.present, config: signing, clock, compat });
    const parts: ApiParts = {
      ...{ config: signing, compat, clock, log: log.part('api') },
      authority: { ...authorities.present, issuer },
      records: opened,
      responder: status.responder,
      crl: async () => (await status.presentCrl()).der,
      bundle: undefined,
    };
    const { enabled, disabled } = cfsslEndpoints(...(await withLooks(parts, inputs)));
    const trusted = files.ca === undefined ? await readFile(files.paths.bundle, 'utf8') : authorities.present.pem;
    const renewal = createRenewal({ ...parts, authority: { ...authorities.present, issuer }, records: opened, authorities: () => trusted });
    const gate = createGate();
    const roots = [
      { path: /^\/ca\.pem$/, handler: text(authorities.present.pem) },
      { path: /^\/ca-bundle\.pem$/, handler: text(trusted) },
    ];
    const operators = config['mutual-tls-cn'];
    const api = createApi({
      endpoints: [...enabled, renewal],
      beside: [...roots, { path: crlPaths, handler: status.handler }, ...(config.metrics ? [metricsPage(status)] : [])],
      ...(config['mutual-tls-ca'] !== undefined && {
        operatorsOnly: operators === undefined ? {} : { names: compileGoRegexp(operators) },
      }),
      log: log.part('api'),
    });
    const statusPort: Handler = (request, response) =>
      (roots.find(({ path }) => path.test(request.url ?? ''))?.handler ?? status.handler)(request, response);
    return {
      ...{ authorities, signing, compat, endpoints: { enabled: [...enabled, renewal], disabled }, status },
      api: gate.through(api),
      statusPort: gate.through(statusPort),
      retire: async () => {
        await gate.empty();
        await life.end();
      },
    };
  } catch (error) {
    await life.end();
    throw error;
  }
}

function statusAuthorities(
  { paths, responder }: ServeFiles,
  { present, previous }: Authorities,
): Parameters<typeof createStatus>[0]['authorities'] {
  const own = { certificate: paths.responder, key: paths.responderKey };
  const before = { certificate: paths.previous.responder, key: paths.previous.responderKey };
  return [{ ...present, responder: responder ?? own }, ...(previous === undefined ? [] : [{ ...previous, responder: before }])];
}

/** The endpoints that look at certificates of others: bundle, certinfo, scan. As with cfssl, `sign` bundles where both files were named. */
async function withLooks(parts: ApiParts, { config, opened, clock, log }: LiveInputs): Promise<Parameters<typeof cfsslEndpoints>> {
  const { 'ca-bundle': rootsFile, 'int-bundle': intermediatesFile, 'int-dir': folder } = config;
  const outbound = createOutbound({ local: parts.compat.has('local-targets') });
  const given = await certificatesIn(rootsFile);
  const roots = (): ReturnType<typeof systemRoots> => given ?? systemRoots(log);
  const bundler = createBundler({
    ...{ roots, outbound, clock, log: log.part('bundle') },
    intermediates: (await certificatesIn(intermediatesFile)) ?? [],
    ...(folder !== undefined && { stash: await openStash(folder) }),
  });
  const others = [
    bundleEndpoint({ bundler, outbound }),
    certinfoEndpoint({ store: opened.store, outbound }),
    ...scanEndpoints({ outbound, roots, clock }),
  ];
  const bundles = rootsFile !== undefined && intermediatesFile !== undefined;
  const bundle = (pem: string, signal: AbortSignal): Promise<unknown> => bundleOfIssued(bundler, pem, signal);
  return [
    { ...parts, bundle: bundles ? bundle : undefined },
    { others, disable: config.disable },
  ];
}

async function certificatesIn(file: string | undefined): Promise<ReturnType<typeof certificateInfos> | undefined> {
  return file === undefined ? undefined : certificateInfos(await readFile(file, 'utf8'), file);
}

function metricsPage(status: Status): Beside {
  const handler: Handler = (_, response) => answer(response, 'text/plain; version=0.0.4', renderMetrics(status.metrics()));
  return { path: /^\/metrics$/, handler };
}

type Beside = NonNullable<Parameters<typeof createApi>[0]['beside']>[number];

function text(pem: string): Handler {
  return (_, response) => answer(response, 'application/x-pem-file', pem);
}

function answer(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-cache' });
  response.end(body);
}

/** Knows whether a request is under way. */
function createGate(): { readonly through: (handler: Handler) => Handler; readonly empty: () => Promise<void> } {
  let inside = 0;
  let waiting = (): void => undefined;
  const leave = (): void => {
    inside--;
    if (inside === 0) waiting();
  };
  return {
    through: (handler) => (request, response) => {
      inside++;
      response.once('close', leave);
      handler(request, response);
    },
    empty: () =>
      new Promise((resolve) => {
        waiting = resolve;
        if (inside === 0) resolve();
      }),
  };
}
