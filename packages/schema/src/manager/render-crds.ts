// The CustomResourceDefinitions of the group rfo.io, rendered from the declared kinds.
import { dnsLabel } from './fields.ts';
import type { Column, ManagerKind } from './kind.ts';
import { managerApiVersion } from './kind.ts';
import { managerKinds } from './kinds.ts';
import { renderSchema, type StructuralSchema } from './render-schema.ts';

/** A CustomResourceDefinition of apiextensions.k8s.io/v1. */
export type RenderedCrd = {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string; readonly plural: string } & Readonly<Record<string, unknown>>;
    readonly scope: 'Cluster';
    readonly versions: readonly ({ readonly name: string; readonly schema: { readonly openAPIV3Schema: StructuralSchema } } & Readonly<
      Record<string, unknown>
    >)[];
  };
};

const [group = '', version = ''] = managerApiVersion.split('/');

/** All of them. They need Kubernetes 1.32 or newer, whose API server knows selectable fields. */
export function renderCrds(): readonly RenderedCrd[] {
  return Object.values(managerKinds).map(renderCrd);
}

/** One of them. */
function renderCrd(declared: ManagerKind): RenderedCrd {
  const { kind, plural, shortNames, columns, selectable } = declared;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { 'app.kubernetes.io/part-of': 'rfo' } },
    spec: {
      group,
      names: {
        kind,
        plural,
        singular: kind.toLowerCase(),
        listKind: `${kind}List`,
        categories: ['rfo'],
        ...(shortNames !== undefined && { shortNames }),
      },
      scope: 'Cluster',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: wholeSchema(declared) },
          additionalPrinterColumns: [...columns.map(renderColumn), { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
          ...(declared.status !== undefined && { subresources: { status: {} } }),
          ...(selectable !== undefined && { selectableFields: selectable.map((jsonPath) => ({ jsonPath })) }),
        },
      ],
    },
  };
}

function wholeSchema({ description, spec, status, rules, longNames }: ManagerKind): StructuralSchema {
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: longNames ? { type: 'object' } : labelMetadata,
      spec: renderSchema(spec),
      ...(status !== undefined && { status: renderSchema(status) }),
    },
    ...(rules !== undefined && { 'x-kubernetes-validations': rules }),
  };
}

/** The name is all of the metadata that a schema may speak of. */
const labelMetadata: StructuralSchema = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 63, pattern: dnsLabel.source } },
};

function renderColumn({ name, path, type = 'string', wide }: Column) {
  return { name, type, jsonPath: path, ...(wide && { priority: 1 }) };
}
