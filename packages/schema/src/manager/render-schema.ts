// Turns a declared type into the structural schema that a CustomResourceDefinition needs.
import * as z from 'zod/mini';
import { fieldMetas } from './fields.ts';

/** A JSONSchemaProps of apiextensions/v1, as far as it is used here. */
export type StructuralSchema = {
  readonly type?: string;
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly items?: StructuralSchema;
  readonly additionalProperties?: StructuralSchema;
  readonly [extension: `x-kubernetes-${string}`]: unknown;
};

/**
 * The structural schema of a type. What has a default is not required: the API server fills it in.
 * Format: Kubernetes' JSONSchemaProps, https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 * @throws TypeError for a type that a structural schema cannot express
 */
export function renderSchema(type: z.core.$ZodType): StructuralSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(type, {
    target: 'openapi-3.0',
    io: 'input',
    metadata: fieldMetas,
    override: ({ jsonSchema }) => {
      for (const keyword of ['anyOf', 'oneOf', 'allOf', 'not', '$ref'] as const)
        if (jsonSchema[keyword] !== undefined) throw new TypeError(`a structural schema has no ${keyword} with types in it`);
      // The bounds of what a double holds exactly are no bounds of ours.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.type === 'integer') jsonSchema.format = jsonSchema.maximum === undefined ? 'int64' : 'int32';
      delete jsonSchema.propertyNames;
    },
  });
  return schema as StructuralSchema;
}
