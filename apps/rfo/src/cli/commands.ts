// Every command of `rfo`. Help, completion and dispatch read this table; what a command needs is loaded when it runs.

import { caCommands } from './ca-commands.ts';
import type { Command, CommandList } from './command.ts';
import { managerCommands } from './manager-commands.ts';
import { networkCommands } from './network-commands.ts';
import { trimHeap } from './trim-heap.ts';

const commands = {
  'server': {
    summary: 'Run a server: control plane, container runtime, network',
    usage: '[flags]',
    options: async () => (await import('@rfo/schema')).serverConfig,
    load: async () => {
      trimHeap();
      const [{ withServerConfig }, { runServer }] = await Promise.all([import('./with-config.ts'), import('../commands/server.ts')]);
      return withServerConfig(runServer);
    },
  },
  'agent': {
    summary: 'Run a node without a control plane: it joins servers',
    usage: '[flags]',
    options: async () => (await import('@rfo/schema')).agentConfig,
    load: async () => {
      trimHeap();
      const [{ withAgentConfig }, { runAgent }] = await Promise.all([import('./with-config.ts'), import('../commands/agent.ts')]);
      return withAgentConfig(runAgent);
    },
  },
  'check': {
    summary: 'Tell what this host lacks to run a node, and repair it',
    usage: '[--fix] [flags of server]',
    options: async () => (await import('@rfo/schema')).checkConfig,
    load: async () => {
      const [{ withCheckConfig }, { runCheck }] = await Promise.all([import('./with-config.ts'), import('../commands/check.ts')]);
      return withCheckConfig(runCheck);
    },
  },
  'killall': {
    summary: 'End every process, container, mount and interface of the node on this host',
    usage: '[flags]',
    options: async () => (await import('@rfo/schema')).killallConfig,
    load: async () => {
      const [{ withKillallConfig }, { runKillall }] = await Promise.all([import('./with-config.ts'), import('../commands/killall.ts')]);
      return withKillallConfig(runKillall);
    },
  },
  'certificate check': {
    summary: 'Tell how long the certificates of this node last',
    usage: '[flags of server]',
    options: async () => (await import('@rfo/schema')).serverConfig,
    load: async () => (await import('../commands/certificate.ts')).checkCertificateFiles,
  },
  'token create': {
    summary: 'Make a token that nodes can join with, and print it',
    usage: '[--role agent|server] [--ttl 24h] [flags]',
    options: async () => (await import('@rfo/schema')).tokenCreateConfig,
    load: async () => (await import('../commands/token.ts')).createToken,
  },
  'token list': {
    summary: 'List the tokens that were made, without their secrets',
    usage: '[-o table|json] [flags]',
    options: async () => (await import('@rfo/schema')).tokenListConfig,
    load: async () => (await import('../commands/token.ts')).listTokens,
  },
  'token delete': {
    summary: 'Delete tokens that were made',
    usage: 'ID... [flags]',
    options: async () => (await import('@rfo/schema')).tokenDeleteConfig,
    load: async () => (await import('../commands/token.ts')).deleteTokens,
  },
  'token rotate': {
    summary: "Replace the cluster's own server or agent token",
    usage: '[--which server|agent] [--new-token-file FILE] [--overlap 24h] [flags]',
    options: async () => (await import('@rfo/schema')).tokenRotateConfig,
    load: async () => (await import('../commands/token.ts')).rotateToken,
  },
  'node readopt': {
    summary: 'Let a host that was installed anew have its old name again',
    usage: 'NAME [flags]',
    options: async () => (await import('@rfo/schema')).nodeReadoptConfig,
    load: async () => (await import('../commands/node.ts')).readoptNode,
  },
  'config validate': {
    summary: 'Check the configuration without starting anything',
    usage: '[flags of server]',
    options: async () => (await import('@rfo/schema')).serverConfig,
    load: async () => (await import('../commands/config.ts')).validateConfig,
  },
  'config explain': {
    summary: 'Tell what is set, where, and what it means',
    usage: '[key] [flags of server]',
    options: async () => (await import('@rfo/schema')).serverConfig,
    load: async () => (await import('../commands/config.ts')).explainConfig,
  },
  ...caCommands,
  ...networkCommands,
  ...managerCommands,
  'kubectl': {
    summary: 'Run kubectl on this node as its administrator',
    usage: '[arguments of kubectl]',
    load: async () => (await import('../commands/kubectl.ts')).runKubectl,
  },
  'crictl': {
    summary: "Run crictl on this node's container runtime",
    usage: '[arguments of crictl]',
    load: async () => (await import('../commands/crictl.ts')).runCrictl,
  },
  'ctr': {
    summary: "Run ctr on this node's containerd",
    usage: '[arguments of ctr]',
    load: async () => (await import('../commands/ctr.ts')).runCtr,
  },
  'helm': {
    summary: "Run helm on this node's cluster",
    usage: '[arguments of helm]',
    load: async () => (await import('../commands/helm.ts')).runHelm,
  },
  'completion': {
    summary: 'Write the completion script of a shell',
    usage: 'bash|zsh|fish',
    options: async () => ({ infos: [] }),
    operands: ['bash', 'zsh', 'fish'],
    load: async () => (await import('../commands/completion.ts')).completionOf(commandList),
  },
} as const satisfies Record<string, Command>;

/** Commands in the order of help. */
export const commandList: CommandList = Object.entries(commands);
