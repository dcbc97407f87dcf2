// The commands that render for others and need no node, as `commands.ts` has all others.
import type { Command } from './command.ts';

const options = async () => await (await import('@rfo/schema')).loadNetworkOptions();

export const networkCommands = {
  'network bgp render': {
    summary: "Render Cilium's BGP objects and address pools from one declaration",
    usage: '-f DECLARATION.yaml [--cilium-version 1.20] [-o FILE]',
    options: async () => (await options()).bgpRenderConfig,
    load: async () => (await import('../commands/network.ts')).renderBgpObjects,
  },
  'network cilium values': {
    summary: "Render the values of Cilium's chart for a control plane outside the cluster",
    usage: '[-f DECLARATION.yaml] [flags]',
    options: async () => (await options()).ciliumValuesConfig,
    load: async () => (await import('../commands/network.ts')).renderCiliumValues,
  },
  'service render': {
    summary: 'Render the systemd unit or SMF manifest of a server, an agent or the CA',
    usage: '[--format systemd|smf] [--role server|agent|ca] [flags]',
    options: async () => (await options()).serviceRenderConfig,
    load: async () => (await import('../commands/service.ts')).renderService,
  },
} as const satisfies Record<string, Command>;
