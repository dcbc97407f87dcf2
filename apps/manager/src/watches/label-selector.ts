/** Label selectors as kubectl takes them: `tier=front,env in (prod,test),!legacy` (k8s.io/apimachinery, labels.Parse). */
import { fail } from '@rfo/foundation';

export type Labels = Readonly<Record<string, string>>;

const key = '[A-Za-z0-9]([-A-Za-z0-9_./]{0,315}[A-Za-z0-9])?';
const value = '([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?';
const equality = new RegExp(`^(?<key>${key})\\s*(?<operator>==|=|!=)\\s*(?<value>${value})$`);
const membership = new RegExp(`^(?<key>${key})\\s+(?<operator>in|notin)\\s*\\(\\s*(?<values>${value}(\\s*,\\s*${value})*)\\s*\\)$`);
const existence = new RegExp(`^(?<not>!\\s*)?(?<key>${key})$`);

/** @throws api-request-invalid */
export function parseLabelSelector(text: string): (labels: Labels) => boolean {
  const tests = splitOutside(text).map((part) => parseRequirement(part.trim()));
  return (labels) => tests.every((holds) => holds(labels));
}

function parseRequirement(part: string): (labels: Labels) => boolean {
  const equal = equality.exec(part)?.groups;
  if (equal !== undefined) {
    const { key: name = '', operator, value: wanted } = equal;
    // Who has no such label differs from every value, as in Kubernetes.
    return operator === '!=' ? (labels) => at(labels, name) !== wanted : (labels) => at(labels, name) === wanted;
  }
  const member = membership.exec(part)?.groups;
  if (member !== undefined) {
    const { key: name = '', operator, values = '' } = member;
    const wanted: ReadonlySet<string | undefined> = new Set(values.split(',').map((each) => each.trim()));
    return operator === 'in' ? (labels) => wanted.has(at(labels, name)) : (labels) => !wanted.has(at(labels, name));
  }
  const exists = existence.exec(part)?.groups;
  if (exists === undefined)
    throw fail('api-request-invalid', {
      problem: `${JSON.stringify(part)} is no label selector: write it like tier=front,env in (a,b),!old`,
    });
  const { key: name = '', not } = exists;
  return not === undefined ? (labels) => at(labels, name) !== undefined : (labels) => at(labels, name) === undefined;
}

function at(labels: Labels, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}

/** Commas between requirements, not those between brackets. */
function splitOutside(text: string): readonly string[] {
  return text.split(/,(?![^(]*\))/);
}
