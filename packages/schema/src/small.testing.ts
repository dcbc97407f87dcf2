// A small declaration that shows every kind of option.
import { declareOptions, type Rule } from './declaration.ts';
import { list, maybe, optionGroup, preset, toggle } from './option.ts';
import { absolutePath, choice, port, text } from './value-types.ts';

const colours: Rule = {
  keys: ['colour', 'port'],
  judge: (values: { readonly colour: string; readonly port: number }) =>
    values.colour === 'red' && values.port === 1 ? { problem: 'red is not for port 1', cure: 'Use blue' } : undefined,
};

export const small = declareOptions({
  name: 'paint',
  options: {
    ...optionGroup('First', {
      'config': maybe(text(), { help: 'Configuration file.', short: 'c', path: true, from: ['command-line', 'environment'] }),
      'port': preset(port(), 80, { help: 'Port to listen on.', short: 'p' }),
      'colour': preset(choice(['red', 'blue']), 'blue', {
        help: 'What it looks like, told in a sentence that is much too long for a line.',
      }),
      'fast': toggle({ help: 'Hurry.' }),
    }),
    ...optionGroup('Second', {
      'password': maybe(text(), { help: 'Secret.', secret: true, variables: ['PAINT_PASSWORD'], unset: 'none' }),
      'name': list(text(), { help: 'Names.', split: true }),
      'an-arg': list(text(), { help: 'Arguments.', value: 'name=value' }),
      'folder': maybe(absolutePath(), { help: 'Folder.', path: true }),
      'secret-door': toggle({ help: 'Not shown.', hidden: true }),
    }),
  },
  rules: [colours],
});
