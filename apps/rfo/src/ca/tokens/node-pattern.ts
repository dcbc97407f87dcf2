/** Which nodes a join token is for. */

/** Whether the name of a node is the pattern's, in which `*` stands for one or more lower-case letters, digits and dashes. */
export function matchesNode(pattern: string, node: string): boolean {
  if (!pattern.includes('*')) return node === pattern;
  const source = pattern.split('*').map(RegExp.escape).join('[a-z0-9-]+');
  return isNodeName(node) && new RegExp(`^${source}$`).test(node);
}

/** Whether it can be the name of a Node: RFC 1123, as Kubernetes wants it. */
function isNodeName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name);
}

/** Whether it is a name or a pattern that can be one. */
export function isNodePattern(pattern: string): boolean {
  return isNodeName(pattern.replaceAll('*', 'a'));
}
