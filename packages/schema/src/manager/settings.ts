import * as z from 'zod/mini';
import { field, text } from './fields.ts';
import { defineKind } from './kind.ts';

export const settingKind = defineKind({
  kind: 'Setting',
  plural: 'settings',
  description: 'A setting of the manager as a whole, by its name.',
  spec: z.object({ value: field(text(131_072), 'Its value, as text.') }),
  columns: [{ name: 'Value', path: '.spec.value' }],
  rules: [
    {
      rule: "self.metadata.name != 'server-url' || (isURL(self.spec.value) && url(self.spec.value).getScheme() == 'https' && url(self.spec.value).getEscapedPath() in ['', '/'])",
      message: 'server-url has to be an https address without a path, such as https://rfo.example.com',
    },
  ],
});
