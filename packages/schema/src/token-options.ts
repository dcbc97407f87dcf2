// The options of the commands on join tokens and on single nodes. They find the node by its own settings; the rest is given as flags alone.
import { declareOptions } from './declaration.ts';
import { maybe, optionGroup, preset, type Shape } from './option.ts';
import { fileOptions } from './server-options/files.ts';
import { choice, duration, numberType, text, textLike } from './value-types.ts';

const from = ['command-line'] as const;
const { config, 'data-dir': dataDir, 'run-dir': runDir, debug } = fileOptions;
/** Mistakes in what these commands do not need do not matter to them. */
const nodeOptions = { config, 'data-dir': dataDir, 'run-dir': runDir, debug };

export const tokenCreateConfig = declare('token create', {
  'role': preset(choice(['agent', 'server']), 'agent', { help: 'What may join with it.', from }),
  'ttl': preset(duration(), '24h', { help: 'How long it is good for; 0: for ever.', value: 'duration', from }),
  'description': maybe(textLike(/^[^\p{Cc}]{1,256}$/u, 'a line of up to 256 characters', '"racks 4 to 6"'), {
    help: 'What it is for.',
    from,
  }),
  'max-uses': maybe(numberType({ min: 1, max: 1000, whole: true }), {
    help: 'How many nodes may join with it.',
    value: 'number',
    unset: 'any number',
    from,
  }),
});

export const tokenListConfig = declare('token list', {
  'output': preset(choice(['table', 'json']), 'table', { help: 'Form of the list.', short: 'o', from }),
});

export const tokenDeleteConfig = declare('token delete', {});

export const tokenRotateConfig = declare('token rotate', {
  'which': preset(choice(['server', 'agent']), 'server', { help: 'Which token of the cluster to replace.', from }),
  'new-token-file': maybe(text(), {
    help: 'File that holds the new secret; - for the standard input.',
    path: true,
    unset: 'a random one is made',
    from,
  }),
  'new-token': maybe(text(), { help: 'Refused: a command line is no place for a secret.', secret: true, hidden: true, from }),
  'overlap': preset(duration(), '24h', { help: 'How long the old one is accepted still.', value: 'duration', from }),
});

export const nodeReadoptConfig = declare('node readopt', {});

function declare<S extends Shape>(name: string, options: S) {
  return {
    ...declareOptions({ name, options: { ...optionGroup('Flags', options), ...nodeOptions } }),
    passOver: true,
  };
}
