import type { Check } from './check.ts';

/** What a user reads first, without ending: there must be both `<name>.md` and `<name>.zh-CN.md`. */
const inBothLanguages = ['README', 'docs/quick-start'];

/** A document for users exists in English and in Chinese. */
export const documentPairs: Check = {
  name: 'document pairs',
  run: async (files) => ({ detail: `${inBothLanguages.length} documents in two languages`, findings: missingPairs(files) }),
};

/** What is missing: of the documents that must have both languages, and the English side of any Chinese one. */
export function missingPairs(files: readonly string[]): readonly string[] {
  const chinese = files.filter((file) => file.endsWith('.zh-CN.md')).map((file) => file.slice(0, -'.zh-CN.md'.length));
  const wanted = new Set([...inBothLanguages, ...chinese]);
  return [...wanted]
    .flatMap((name) => [`${name}.md`, `${name}.zh-CN.md`])
    .filter((file) => !files.includes(file))
    .map((file) => `${file} is missing`);
}
