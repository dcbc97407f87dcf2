import { fail } from '@rfo/foundation';
import * as z from 'zod/mini';
import { unknownFields } from './unknown-fields.ts';

/**
 * What came, as the schema has it; a field that the schema does not know is a mistake.
 * @param where it came, in words: `the body`
 * @throws api-request-invalid, with every flaw
 */
export function parseInput<T extends z.ZodMiniType>(schema: T, value: unknown, where: string): z.output<T> {
  const outcome = z.safeParse(schema, value, { error: describe });
  if (!outcome.success) {
    const flaws = outcome.error.issues.map((issue) => {
      const told = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
      return issue.path.length === 0 ? told : `${issue.path.join('.')}: ${told}`;
    });
    throw invalid(where, flaws);
  }
  const unknown = unknownFields(value, outcome.data);
  if (unknown.length > 0) throw invalid(where, [`unknown field ${unknown.join(', ')}`]);
  return outcome.data;
}

const english = z.locales.en().localeError;

/** zod/mini says of every flaw that it is one, and no more, unless it is given the words. */
const describe: typeof english = (issue) => (issue.code === 'invalid_type' && issue.input === undefined ? 'it is missing' : english(issue));

function invalid(where: string, flaws: readonly string[]): Error {
  const told = flaws.slice(0, 5).join('; ') + (flaws.length > 5 ? `; and ${flaws.length - 5} more` : '');
  return fail('api-request-invalid', { problem: `${where} is not what the route takes: ${told}` });
}
