// The options of `rfo ca join-config`: what a host is to be, and what it is told so that it joins by itself.
import { caDatabase, caDebug, caFolder } from './ca-options.ts';
import { declareOptions, type Flaw, type Values } from './declaration.ts';
import { list, maybe, optionGroup, preset } from './option.ts';
import {
  absolutePath,
  choice,
  domainName,
  duration,
  ipv4Address,
  nodeLabel,
  numberType,
  serverAddress,
  text,
  textLike,
} from './value-types.ts';

const from = ['command-line'] as const;
const range = () => textLike(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/, 'an address or a range', '192.0.2.0/24');
/** No path and no slash at the end: paths are put behind it. */
const base = (example: string) => textLike(/^https?:\/\/[A-Za-z0-9.:[\]-]+$/, 'an address without a path', example);

export const caJoinConfig = declareOptions({
  name: 'ca join-config',
  prefix: 'RFO_CA_',
  options: {
    ...optionGroup('What the host becomes', {
      'for': preset(choice(['agent', 'kubelet']), 'agent', {
        help: 'An agent of an RFO cluster, or a plain kubelet with certificates of this CA.',
        from,
      }),
      'format': preset(choice(['cloud-init', 'autoinstall', 'ignition', 'script']), 'cloud-init', { help: 'Form of the user data.', from }),
      'node': maybe(domainName('the name of a node', 'worker-3'), { help: 'Name of the node.', unset: 'the name of the host', from }),
      'pattern': maybe(textLike(/^[a-z0-9*]([a-z0-9.*-]{0,251}[a-z0-9*])?$/, 'a pattern of node names', '"worker-*"'), {
        help: 'Instead of a name: one user data for all hosts that are named like it.',
        from,
      }),
      'label': list(nodeLabel(), { help: 'Label of the node.', value: 'key=value', split: true, from }),
      'program': list(
        textLike(
          /^(amd64|arm64|arm|riscv64|ppc64le|s390x|loong64)=https?:\/\/[^\s#'"\\]+#sha256:[0-9a-f]{64}$/,
          'an architecture, an address and a sum',
          'arm64=https://example.com/rfo-arm64.tar.gz#sha256:<64 hex digits>',
        ),
        {
          help: 'Archive (tar.gz) that is unpacked into /usr/local there, for one architecture.',
          unset: 'the programs are in the image',
          from,
        },
      ),
    }),
    ...optionGroup('The token', {
      'token-file': maybe(text(), {
        help: 'File of a token that there is; - for the standard input.',
        path: true,
        unset: 'one is made',
        from,
      }),
      'ttl': preset(duration(), '24h', { help: 'How long a new one is good for; 0: for ever.', value: 'duration', from }),
      'max-nodes': preset(numberType({ min: 1, max: 1000, whole: true }), 1, {
        help: 'How many nodes may join with it; for a pattern.',
        from,
      }),
      'address': list(range(), {
        help: 'Range of addresses that the host is in: of its certificates, and of who is handed the user data.',
        split: true,
        unset: 'any',
        from,
      }),
    }),
    ...optionGroup('An agent', {
      'server': maybe(serverAddress(), { help: 'Server to join.', value: 'address', from }),
    }),
    ...optionGroup('A kubelet', {
      'api-server': maybe(base('https://192.0.2.1:6443'), { help: 'API server; its certificate is of this CA.', value: 'address', from }),
      'ca-url': maybe(base('https://192.0.2.2:8888'), { help: 'This CA, as hosts reach it.', value: 'address', from }),
      'runtime': preset(choice(['containerd', 'cri-o']), 'containerd', { help: 'Container runtime on the host.', from }),
      'cluster-dns': list(ipv4Address(), { help: 'Address of the cluster DNS.', split: true, unset: '10.43.0.10', from }),
      'cluster-domain': preset(domainName('a domain', 'cluster.local'), 'cluster.local', { help: 'Domain of the cluster.', from }),
      'client-profile': preset(text(), 'kubelet-client', { help: 'Profile of its client certificate.', from }),
      'serving-profile': preset(text(), 'kubelet-serving', { help: 'Profile of its serving certificate.', from }),
    }),
    ...optionGroup('Handing it out', {
      'seed': maybe(absolutePath(), {
        help: 'Put it into this folder, which `rfo ca serve --seed` serves, instead of printing it.',
        value: 'folder',
        path: true,
        from,
      }),
      'seed-id': maybe(text(), {
        help: 'Name there: any name, a serial number or a hardware address.',
        unset: 'the name of the node',
        from,
      }),
      'seed-url': maybe(base('http://192.0.2.2:8890'), {
        help: 'Seed server as hosts reach it: they report there.',
        value: 'address',
        from,
      }),
    }),
    ...optionGroup('Which CA', { ...caFolder, ...caDatabase, ...caDebug }),
  },
  rules: [
    {
      keys: ['node', 'pattern'],
      judge: ({ node, pattern }: { readonly node?: string; readonly pattern?: string }) =>
        (node === undefined) === (pattern === undefined)
          ? flaw('exactly one of --node and --pattern is needed', 'Give one of them')
          : undefined,
    },
    {
      keys: ['max-nodes', 'node'],
      judge: ({ node, 'max-nodes': most }: { readonly 'node'?: string; readonly 'max-nodes': number }) =>
        node !== undefined && most > 1 ? flaw(`${node} is one node`, 'Give --pattern, or leave --max-nodes out') : undefined,
    },
    {
      keys: ['for', 'server'],
      judge: (given: { readonly for: string; readonly server?: string }) =>
        given.for === 'agent' && given.server === undefined ? flaw('an agent needs --server', 'Name a server of its cluster') : undefined,
    },
    {
      keys: ['for', 'api-server', 'ca-url'],
      judge: (given: { readonly 'for': string; readonly 'api-server'?: string; readonly 'ca-url'?: string }) =>
        given.for === 'kubelet' && (given['api-server'] === undefined || given['ca-url'] === undefined)
          ? flaw('a kubelet needs --api-server and --ca-url', 'Name both as the host reaches them')
          : undefined,
    },
    {
      keys: ['seed', 'seed-id', 'pattern'],
      judge: (given: { readonly 'seed'?: string; readonly 'seed-id'?: string; readonly 'pattern'?: string }) =>
        given.seed !== undefined && given.pattern !== undefined && given['seed-id'] === undefined
          ? flaw('with --pattern --seed needs a name', 'Give --seed-id')
          : undefined,
    },
  ],
});
export type CaJoinConfig = Values<typeof caJoinConfig>;

function flaw(problem: string, cure: string): Flaw {
  return { problem, cure };
}
