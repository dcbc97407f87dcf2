import * as z from 'zod/mini';

/** Schemas that have a name of their own in the OpenAPI document. */
export const schemaNames = z.registry<{ readonly id: string }>();

/** Gives a schema its name. */
export function named<T extends z.ZodMiniType>(id: string, schema: T): T {
  schemaNames.add(schema, { id });
  return schema;
}
