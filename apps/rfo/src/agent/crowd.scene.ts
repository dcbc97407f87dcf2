/** Run by the scenario `burst`: many agents, each of which joins as `rfo agent` does before anything of Kubernetes is started. */
import { rm } from 'node:fs/promises';
import { createLog, type Log, systemClock } from '@rfo/foundation';
import { runCrowd } from '../join/crowd.testing.ts';
import { pathsOf } from '../paths.ts';
import { joinAsAgent } from './join.ts';

runCrowd({
  empty: async (_agents, { folder }) => await rm(folder, { recursive: true, force: true }),
  join: async ({ nodeName, nodeIp, nodePassword }, { server, token, kubernetes, folder }, complain) => {
    // An agent goes on until it has joined: what did not go well at once stands in its log.
    const log: Log = createLog({ write: (line) => void (/ (warn|error) /.test(line) && complain(line.trim())) });
    await joinAsAgent({
      ...{ nodeName, nodeIps: [nodeIp], nodePassword, kubernetes, log, clock: systemClock },
      config: { 'server': [server], token, 'token-file': undefined, 'certificate-renewal-ratio': 0.33 },
      paths: pathsOf({ 'data-dir': `${folder}/${nodeName}`, 'run-dir': `${folder}/${nodeName}/run` }),
      signal: AbortSignal.timeout(60_000),
    });
  },
});
