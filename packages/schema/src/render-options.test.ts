import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorTable } from '@rfo/foundation';
import { renderOptions } from './render-options.ts';
import { renderErrorReference, renderFlagReference } from './render-reference.ts';
import { small } from './small.testing.ts';

test('help shows groups, values, defaults and variables, wrapped, and nothing that is hidden', () => {
  assert.equal(
    renderOptions(small, 80),
    [
      'First:',
      '  -c, --config <path>        Configuration file. [RFO_CONFIG]',
      '  -p, --port <number>        Port to listen on. (default: 80) [RFO_PORT]',
      '      --colour red|blue      What it looks like, told in a sentence that is much',
      '                             too long for a line. (default: blue) [RFO_COLOUR]',
      '      --fast                 Hurry. [RFO_FAST]',
      '',
      'Second:',
      '      --password <text>      Secret. (default: none) [RFO_PASSWORD]',
      '      --name <text>          Names. May be repeated. [RFO_NAME]',
      '      --an-arg <name=value>  Arguments. May be repeated. [RFO_AN_ARG]',
      '      --folder <path>        Folder. [RFO_FOLDER]',
    ].join('\n'),
  );
});

test('the reference of flags is a table for each group', () => {
  const text = renderFlagReference(small);
  assert.ok(text.includes('## Second\n\n| flag | variable | default | what it does |\n|---|---|---|---|\n'));
  assert.ok(text.includes('| `--colour red\\|blue` | `RFO_COLOUR` | `blue` | What it looks like'));
  assert.ok(text.includes('| `--an-arg <name=value>`, repeated | `RFO_AN_ARG` ↵ |  | Arguments. |'));
  assert.ok(text.includes('| `--password <text>` | `RFO_PASSWORD`, `PAINT_PASSWORD` | none | Secret. |'));
  assert.ok(!text.includes('secret-door'));
});

test('the reference of errors holds every one', () => {
  const text = renderErrorReference();
  for (const code of Object.keys(errorTable)) assert.ok(text.includes(`| \`${code}\` |`), code);
});
