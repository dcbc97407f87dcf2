// `rfo ca join-config`: user data with which a host joins by itself.
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fail, systemClock, systemCode } from '@rfo/foundation';
import { certificateInfo } from '@rfo/pki';
import { type CaJoinConfig, loadCaOptions } from '@rfo/schema';
import { pinOf } from '../../ca/keys/pin.ts';
import { renderUserData } from '../../ca/user-data/render.ts';
import { seedFolder } from '../../ca/user-data/seed-names.ts';
import { type Architecture, architectures, type ProgramArchive, type SeedPlace } from '../../ca/user-data/types.ts';
import { writeSeed } from '../../ca/user-data/write-seed.ts';
import type { CommandContext, Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { pathsOf } from '../../paths.ts';
import { createMadeToken } from '../../tokens/made-tokens.ts';
import { caHash, parseToken, renderToken } from '../../tokens/token-format.ts';
import { connectAsAdministrator } from '../administrator.ts';
import { folderOf, localUser, openDatabaseOf } from './open.ts';

/** Prints the user data, alone, on the standard output, or puts it where the seed server hands it out. Whoever reads it can join once. */
export const writeJoinConfig: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caJoinConfig, context);
  const { node, format, seed, address, ttl } = config;
  const id = seedId(config);
  const join = {
    nodeName: node,
    labels: config.label,
    programs: config.program.map(parseProgram),
    seed: seedPlace(config, id),
  };
  const host =
    config.for === 'agent'
      ? { as: 'agent' as const, ...join, server: serverUrl(config.server ?? ''), token: await agentToken(config, context) }
      : { as: 'kubelet' as const, ...join, ...(await kubeletPart(config, context)) };
  const userData = renderUserData(format, host);
  const until = ttl === 0 || config['token-file'] !== undefined ? undefined : new Date(systemClock.now() + ttl).toISOString();
  const limits = until === undefined ? 'as long as its token is good' : `until ${until}`;
  if (seed === undefined) context.stdout.write(userData);
  else {
    const access = { ...(address.length > 0 && { addresses: address }), ...(until !== undefined && { until }) };
    context.stdout.write(`${await writeSeed(seed, { id, nodeName: node, format, userData, access })}\n`);
  }
  context.stderr.write(`Whoever has this can join as ${node ?? config.pattern}, ${limits}: it holds a token.\n`);
  return 0;
};

function seedId(config: CaJoinConfig): string {
  const given = config['seed-id'] ?? config.node ?? 'host';
  const id = seedFolder(given);
  if (id !== undefined) return id;
  const cure = 'Letters, digits, dots, dashes and underscores, or a hardware address';
  throw fail('config-invalid', { key: 'seed-id', where: 'the options', problem: `"${given}" is no name of a host`, cure });
}

function seedPlace(config: CaJoinConfig, id: string): SeedPlace | undefined {
  const url = config['seed-url'];
  return url === undefined ? undefined : { url, id };
}

/** `arm64=https://…#sha256:…`, whose form the option has checked. */
function parseProgram(given: string): ProgramArchive {
  const [, name = '', url = '', sha256 = ''] = /^([^=]+)=(.*)#sha256:([0-9a-f]{64})$/.exec(given) ?? [];
  const architecture = architectures.find((known): known is Architecture => known === name);
  if (architecture === undefined) throw fail('internal', { what: `the option program let ${name} pass` });
  return { architecture, url, sha256 };
}

function serverUrl(given: string): string {
  const url = new URL(given.includes('://') ? given : `https://${given}`);
  return `https://${url.hostname}:${url.port === '' ? '9345' : url.port}`;
}

/** One that there is, or a new one of the server on this host, good for as many nodes as are to come. */
async function agentToken(config: CaJoinConfig, { life }: CommandContext): Promise<string> {
  const given = await givenToken(config);
  if (given !== undefined) return renderToken(parseToken(given, 'token-file'));
  const { client, caPem } = await connectAsAdministrator('ca join-config', { paths: pathsOf(nodeFolders), life });
  const credential = await createMadeToken(client, {
    role: 'agent',
    description: `user data of ${config.node ?? config.pattern}`,
    expires: config.ttl === 0 ? undefined : systemClock.now() + config.ttl,
    maxUses: config['max-nodes'],
    signal: life.signal,
  });
  return renderToken({ caHash: caHash(caPem), credential });
}

async function kubeletPart(config: CaJoinConfig, context: CommandContext) {
  const { runtime, dir, 'client-profile': client, 'serving-profile': serving, 'cluster-dns': dns } = config;
  const paths = await folderOf('ca join-config', dir);
  const pin = pinOf(certificateInfo(await readFile(paths.ca, 'utf8'), paths.ca));
  return {
    apiServer: config['api-server'] ?? '',
    caUrl: config['ca-url'] ?? '',
    caPin: pin.replace('sha256:', ''),
    token: await kubeletToken(config, context),
    profiles: { client, serving },
    runtime,
    clusterDns: dns.length > 0 ? dns : ['10.43.0.10'],
    clusterDomain: config['cluster-domain'],
  };

  async function kubeletToken(options: CaJoinConfig, { life, log }: CommandContext): Promise<string> {
    const given = await givenToken(options);
    if (given !== undefined) {
      if (/^[0-9a-f]{64}$/.test(given)) return given;
      throw fail('token-malformed', {
        where: 'token-file',
        problem: 'it is not the 64 hexadecimal digits that rfo ca token create prints',
      });
    }
    const { tokens, audit } = await openDatabaseOf(paths, options, { life, log });
    const { node, pattern, address, ttl } = options;
    const target = node ?? pattern ?? '';
    const wish = {
      ...{ node: target, profiles: [client, serving], addresses: address, maxNodes: options['max-nodes'], description: 'user data' },
      expiresAt: ttl === 0 ? undefined : systemClock.now() + ttl,
    };
    const { key } = await tokens.create(wish, ({ id, profiles }) =>
      audit.within({ act: 'token-create', user: localUser(), token: id, node: target, profile: profiles.join(','), result: 'done' })(),
    );
    return key;
  }
}

async function givenToken(config: CaJoinConfig): Promise<string | undefined> {
  const file = config['token-file'];
  if (file === undefined) return undefined;
  try {
    return (file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw fail('token-unreadable', { key: 'token-file', file, problem: systemCode(error) ?? String(error) }, error);
  }
}

/** Where a server is that runs on this host with its default folders. */
const nodeFolders = { 'data-dir': '/var/lib/rancher/rfo', 'run-dir': '/run/rfo' };
