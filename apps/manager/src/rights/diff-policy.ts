/** Tells who is touched by a change of the policy, so that what they have open can be looked at again. */
import { isDeepStrictEqual } from 'node:util';
import { placesInclude } from './places.ts';
import { type Holder, type Policy, type Subject, subjectOf, subjectsOf } from './policy.ts';
import { missingPermissions } from './policy-rule.ts';
import type { Role } from './resolve-roles.ts';

type Difference = {
  /** Who may have lost something. */
  readonly lost: ReadonlySet<Subject>;
  /** Who has lost or won something. */
  readonly touched: ReadonlySet<Subject>;
  /** Roles and projects that became less while people kept them: clusters have to hear of these before they hold. */
  readonly lessened: { readonly roles: ReadonlySet<string>; readonly projects: ReadonlySet<string> };
};

type Step = 'same' | 'more' | 'less';

export function diffPolicy(before: Policy, after: Policy): Difference {
  const roles = steps(before.roles, after.roles, stepOfRole);
  const projects = steps(before.places, after.places, (was, is) =>
    !placesInclude(is, was) ? 'less' : placesInclude(was, is) ? 'same' : 'more',
  );
  const lost = new Set<Subject>();
  const touched = new Set<Subject>();
  const note = (subject: Subject, step: Step): void => {
    if (step === 'less') lost.add(subject);
    if (step !== 'same') touched.add(subject);
  };

  for (const subject of new Set([...before.globals.keys(), ...after.globals.keys()])) {
    note(subject, stepOfSet(before.globals.get(subject), after.globals.get(subject), roles));
  }
  const sameRoles = roles.size === 0 && before.roles.size === after.roles.size;
  for (const project of new Set([...before.projects.keys(), ...after.projects.keys()])) {
    const [was, is] = [before.projects.get(project), after.projects.get(project)];
    // Most are not concerned by most changes.
    if (sameRoles && was === is && !projects.has(project)) continue;
    for (const subject of new Set([...(was?.spec.members ?? []), ...(is?.spec.members ?? [])].map(subjectOf))) {
      note(subject, stepOfSet(before.memberships.get(subject)?.get(project), after.memberships.get(subject)?.get(project), roles));
      note(subject, projects.get(project) ?? 'same');
    }
  }
  return { lost, touched, lessened: { roles: lessOf(roles), projects: lessOf(projects) } };
}

/** Whether somebody is one of these, or in one of these groups. */
export function isAmong(subjects: ReadonlySet<Subject>, holder: Holder): boolean {
  return subjectsOf(holder).some((subject) => subjects.has(subject));
}

/** Everybody who has one of these roles or is a member of one of these projects. */
export function holdersOf(policy: Policy, { roles, projects }: Difference['lessened']): Set<Subject> {
  const found = new Set<Subject>();
  for (const [subject, own] of policy.globals) if (!own.isDisjointFrom(roles)) found.add(subject);
  for (const [subject, memberships] of policy.memberships) {
    for (const [project, own] of memberships) if (projects.has(project) || own.some((role) => roles.has(role))) found.add(subject);
  }
  return found;
}

/** What is in both lists and did not stay the same. */
function steps<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>, stepOf: (was: T, is: T) => Step): Map<string, Step> {
  const found = new Map<string, Step>();
  for (const [name, was] of before) {
    const is = after.get(name);
    const step = is === undefined ? 'less' : stepOf(was, is);
    if (step !== 'same') found.set(name, step);
  }
  return found;
}

function stepOfRole(was: Role, is: Role): Step {
  if (isDeepStrictEqual(was.rules, is.rules) && isDeepStrictEqual(was.clusterRules, is.clusterRules)) return 'same';
  const missing = [...missingPermissions(is.rules, was.rules), ...missingPermissions(is.clusterRules, was.clusterRules)];
  return missing.length > 0 ? 'less' : 'more';
}

function stepOfSet(was: Iterable<string> = [], is: Iterable<string> = [], roles: ReadonlyMap<string, Step> = new Map()): Step {
  const [earlier, later] = [new Set(was), new Set(is)];
  if ([...earlier].some((role) => !later.has(role) || roles.get(role) === 'less')) return 'less';
  return [...later].some((role) => !earlier.has(role) || roles.get(role) === 'more') ? 'more' : 'same';
}

function lessOf(found: ReadonlyMap<string, Step>): Set<string> {
  return new Set([...found].filter(([, step]) => step === 'less').map(([name]) => name));
}
