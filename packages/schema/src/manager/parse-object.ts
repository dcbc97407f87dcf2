// Judges what claims to be an object of a kind: the edge between the Kubernetes API and the manager.
import * as z from 'zod/mini';
import type { ManagerKind, ObjectOf } from './kind.ts';
import { managerApiVersion } from './kind.ts';

/** The object itself, or what is wrong with it in one line. */
export type Parsed<T> = { readonly object: T } | { readonly problem: string };

/**
 * Judges what came from the API server. What is sound is given back as it came: fields that only a newer version knows stay in it, so that
 * writing it back loses nothing.
 */
export function objectParser<K extends ManagerKind>({ kind, spec, status }: K): (value: unknown) => Parsed<ObjectOf<K>> {
  const whole = z.object({
    apiVersion: z.literal(managerApiVersion),
    kind: z.literal(kind),
    metadata: z.object({ name: z.string().check(z.minLength(1)) }),
    spec,
    ...(status !== undefined && { status: z.exactOptional(status) }),
  });
  return (value) => {
    const { success, error } = z.safeParse(whole, value);
    return success ? { object: value as ObjectOf<K> } : { problem: describe(error) };
  };
}

/** `spec.role is missing; …`, the first three. */
function describe({ issues }: z.core.$ZodError): string {
  const told = issues.slice(0, 3).map((issue) => `${issue.path.join('.') || 'it'} ${problemOf(issue)}`);
  return told.join('; ') + (issues.length > told.length ? `; and ${issues.length - told.length} more` : '');
}

function problemOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `is not of the type ${issue.expected}`;
    case 'invalid_value':
      return `is none of ${issue.values.map(String).join(', ')}`;
    case 'too_big':
      return `is larger or longer than ${issue.maximum}`;
    case 'too_small':
      return `is smaller or shorter than ${issue.minimum}`;
    case 'invalid_format':
      return `does not match ${issue.pattern ?? issue.format}`;
    default:
      return issue.message;
  }
}
