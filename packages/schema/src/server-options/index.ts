// Every option of a server, in the order in which help shows them.
import { clusterOptions, rangeOptions } from './cluster.ts';
import { argumentOptions, componentOptions, securityOptions } from './components.ts';
import { fileOptions } from './files.ts';
import { egressOptions, joinOptions } from './join.ts';
import { managerOptions } from './manager.ts';
import { networkOptions, nodeOptions, runtimeOptions } from './node.ts';
import { vipOptions } from './vip.ts';

export const serverOptions = {
  ...fileOptions,
  ...joinOptions,
  ...clusterOptions,
  ...vipOptions,
  ...egressOptions,
  ...rangeOptions,
  ...nodeOptions,
  ...networkOptions,
  ...runtimeOptions,
  ...componentOptions,
  ...managerOptions,
  ...argumentOptions,
  ...securityOptions,
};
