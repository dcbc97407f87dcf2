import type { Condition, CustomResourceDefinition, KubeObject, ObjectRef } from '@rfo/kube';

/** Whose fields the objects of manifests are. */
export const fieldManager = 'rfo-addons';
export const addonNamespace = 'kube-system';

/**
 * What the cluster remembers of a manifest file: its content's hash and the objects it holds. Users of K3s and RKE2 know this kind, so
 * group, name, spec and the annotation of kinds are theirs; the status is ours.
 */
export type Addon = KubeObject & {
  readonly spec: {
    /** Path of the file. */
    readonly source: string;
    /** SHA-256 of its content in hex. */
    readonly checksum: string;
  };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    /** Everything that may exist because of the file; recorded before it is applied, so that nothing is ever forgotten. */
    readonly objects?: readonly ObjectRef[];
    readonly error?: string;
  };
};

export const addonKind = { apiVersion: 'k3s.cattle.io/v1', kind: 'Addon' } as const;
export const kindsAnnotation = 'addon.k3s.cattle.io/gvks';
/** On every object of a manifest: the server notes no owner of an object of which nothing but the name was applied. */
export const appliedAnnotation = 'addon.rfo.io/applied';
/** The node whose file it is: only there is the file's absence its deletion. */
export const nodeAnnotation = 'addon.rfo.io/node';

const text = { type: 'string' } as const;

export const addonDefinition: CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'addons.k3s.cattle.io' },
  spec: {
    group: 'k3s.cattle.io',
    scope: 'Namespaced',
    names: { kind: 'Addon', plural: 'addons', singular: 'addon' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Source', type: 'string', jsonPath: '.spec.source' },
          { name: 'Checksum', type: 'string', jsonPath: '.spec.checksum', priority: 1 },
          { name: 'Applied', type: 'string', jsonPath: '.status.conditions[?(@.type=="Applied")].status' },
          { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Applied")].reason' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { source: text, checksum: text } },
              status: {
                type: 'object',
                properties: {
                  error: text,
                  objects: {
                    type: 'array',
                    items: {
                      type: 'object',
                      required: ['apiVersion', 'kind', 'name'],
                      properties: { apiVersion: text, kind: text, name: text, namespace: text },
                    },
                  },
                  conditions: {
                    type: 'array',
                    items: {
                      type: 'object',
                      required: ['type', 'status'],
                      properties: {
                        type: text,
                        status: text,
                        reason: text,
                        message: text,
                        lastTransitionTime: { type: 'string', format: 'date-time' },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};
