/** What a further server needs to be one of the same cluster: the CAs with their keys, and the secrets that all servers share. */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { authorityNames, serviceKey } from '../certificates/table.ts';
import type { Paths } from '../paths.ts';
import type { BootstrapData } from './api.ts';

/** Path below `server/` of every file that all servers share: a joining server takes these and no others. */
export function bootstrapFiles(paths: Paths): readonly string[] {
  const { root, tls, encryptionConfig, clusterTokens, passwd, token, nodeToken, agentToken } = paths.server;
  const certificates = [...authorityNames.flatMap((name) => [`${name}.crt`, `${name}.key`]), `${serviceKey.name}.key`];
  const files = [...certificates.map((file) => join(tls, file)), encryptionConfig, clusterTokens, passwd, token, nodeToken, agentToken];
  return files.map((file) => relative(root, file));
}

/** Reads them all. Throws what reading throws: a part of them is of no use. */
export async function readBootstrapData(paths: Paths): Promise<BootstrapData> {
  const entries = bootstrapFiles(paths).map(async (file) => [file, await readFile(join(paths.server.root, file), 'base64')] as const);
  return Object.fromEntries(await Promise.all(entries));
}
