/** Names of the images that belong to RFO itself. */

/**
 * The name that pods take an image of the system by: with `system-default-registry` that registry stands before the name. Others stay as they are.
 * @param name as the bundle names it, `rfo.io/pause:3.10.2`
 */
export function systemImage(name: string, registry: string | undefined): string {
  return registry === undefined || !name.startsWith('rfo.io/') ? name : `${registry}/${name}`;
}
