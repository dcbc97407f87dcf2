// Every kind of the group rfo.io, by the name of its store.
import { auditSegmentKind } from './audit-segment.ts';
import { authProviderKind } from './auth-provider.ts';
import { clusterKind } from './cluster.ts';
import type { ObjectOf } from './kind.ts';
import { projectKind } from './project.ts';
import { globalRoleBindingKind, roleTemplateKind } from './rights.ts';
import { settingKind } from './settings.ts';
import { tokenKind } from './token.ts';
import { userKind } from './user.ts';

export const managerKinds = {
  clusters: clusterKind,
  users: userKind,
  roleTemplates: roleTemplateKind,
  globalRoleBindings: globalRoleBindingKind,
  projects: projectKind,
  tokens: tokenKind,
  authProviders: authProviderKind,
  settings: settingKind,
  auditSegments: auditSegmentKind,
} as const;
export type ManagerKinds = typeof managerKinds;

export type Cluster = ObjectOf<ManagerKinds['clusters']>;
export type User = ObjectOf<ManagerKinds['users']>;
export type RoleTemplate = ObjectOf<ManagerKinds['roleTemplates']>;
export type GlobalRoleBinding = ObjectOf<ManagerKinds['globalRoleBindings']>;
export type Project = ObjectOf<ManagerKinds['projects']>;
export type Token = ObjectOf<ManagerKinds['tokens']>;
export type AuthProvider = ObjectOf<ManagerKinds['authProviders']>;
export type Setting = ObjectOf<ManagerKinds['settings']>;
export type AuditSegment = ObjectOf<ManagerKinds['auditSegments']>;
export type PolicyRule = RoleTemplate['spec']['rules'][number];
