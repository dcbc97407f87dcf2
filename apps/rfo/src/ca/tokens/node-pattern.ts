/** Which nodes a join token is for. */
import { compileGoRegexp } from '../config/go-regexp.ts';

/**
 * Whether the name of a node is the pattern's, in which `*` stands for one or more lower-case letters, digits and dashes; by an expression that no name
 * can make slow.
 */
export function matchesNode(pattern: string, node: string): boolean {
  if (!pattern.includes('*')) return node === pattern;
  const parts = pattern.split('*').map((part) => part.replace(/[^A-Za-z0-9-]/g, '\\$&'));
  return isNodeName(node) && compileGoRegexp(`^${parts.join('[a-z0-9-]+')}$`).test(node);
}

/** Whether it can be the name of a Node: RFC 1123, as Kubernetes wants it. */
export function isNodeName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name);
}

/** Whether it is a name or a pattern that can be one. */
export function isNodePattern(pattern: string): boolean {
  return isNodeName(pattern.replaceAll('*', 'a'));
}
