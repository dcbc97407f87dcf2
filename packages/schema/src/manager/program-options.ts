// What the manager and its agent have in common: where their configuration is, and what they tell of themselves.
import { maybe, preset, toggle } from '../option.ts';
import { choice, text } from '../value-types.ts';

/** @param standard the file that is read where none is given */
export const configOption = (standard: string) => ({
  'config': maybe(text(), {
    help: 'Configuration file; the files of <config>.d/*.yaml are read after it.',
    short: 'c',
    value: 'file',
    path: true,
    unset: standard,
    from: ['command-line', 'environment'],
  }),
});

export const logOptions = {
  'log-format': preset(choice(['text', 'json']), 'text', { help: 'Form of the log.' }),
  'debug': toggle({ help: 'Log more, and show where an error came from.' }),
};
