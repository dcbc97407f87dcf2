// The commands of the multi-cluster manager, as `commands.ts` has all others: they run anywhere and need no node.
import type { Command } from './command.ts';

const options = async () => await (await import('@rfo/schema')).loadManagerCliOptions();

export const managerCommands = {
  'manager login': {
    summary: 'Sign in to a manager',
    usage: '[ADDRESS] [--username NAME] [flags]',
    options: async () => (await options()).managerLoginConfig,
    load: async () => (await import('../commands/manager/login.ts')).login,
  },
  'manager logout': {
    summary: 'Sign out of the manager',
    usage: '',
    options: async () => (await options()).managerLogoutConfig,
    load: async () => (await import('../commands/manager/account.ts')).logout,
  },
  'manager whoami': {
    summary: 'Tell who is signed in, and with which roles',
    usage: '[-o table|json|yaml]',
    options: async () => (await options()).managerWhoamiConfig,
    load: async () => (await import('../commands/manager/account.ts')).whoami,
  },
  'manager password': {
    summary: "Change one's own password",
    usage: '[--password-file FILE]',
    options: async () => (await options()).managerPasswordConfig,
    load: async () => (await import('../commands/manager/account.ts')).changePassword,
  },
  'manager clusters list': {
    summary: 'List the clusters that one may see, and how they are',
    usage: '[--filter CONDITION] [-o table|json|yaml] [flags]',
    options: async () => (await options()).managerClustersListConfig,
    load: async () => (await import('../commands/manager/clusters.ts')).listClusters,
  },
  'manager clusters get': {
    summary: 'Show a cluster: versions, nodes, health, and why its agent is away',
    usage: 'NAME [-o table|json|yaml]',
    options: async () => (await options()).managerClustersGetConfig,
    load: async () => (await import('../commands/manager/clusters.ts')).getCluster,
  },
  'manager clusters import': {
    summary: 'Make a cluster known, and print the line that brings its agent in',
    usage: 'NAME [flags]',
    options: async () => (await options()).managerClustersImportConfig,
    load: async () => (await import('../commands/manager/clusters.ts')).importCluster,
  },
  'manager clusters disconnect': {
    summary: 'Let a cluster go: what RFO put into it is taken away',
    usage: 'NAME [--yes]',
    options: async () => (await options()).managerClustersDisconnectConfig,
    load: async () => (await import('../commands/manager/clusters.ts')).disconnectCluster,
  },
  'manager projects list': {
    summary: 'List the projects that one may see',
    usage: '[--filter CONDITION] [-o table|json|yaml] [flags]',
    options: async () => (await options()).managerProjectsListConfig,
    load: async () => (await import('../commands/manager/projects.ts')).listProjects,
  },
  'manager projects get': {
    summary: 'Show a project: members, places, quota',
    usage: 'NAME [-o table|json|yaml]',
    options: async () => (await options()).managerProjectsGetConfig,
    load: async () => (await import('../commands/manager/projects.ts')).getProject,
  },
  'manager projects create': {
    summary: 'Make a project over namespaces or whole clusters',
    usage: 'NAME [--place CLUSTER[/NAMESPACE,...]] [--member user:NAME:ROLE] [flags]',
    options: async () => (await options()).managerProjectsCreateConfig,
    load: async () => (await import('../commands/manager/projects.ts')).createProject,
  },
  'manager projects change': {
    summary: 'Add and remove members, places and limits of a project',
    usage: 'NAME [--member user:NAME:ROLE] [--remove-member user:NAME] [flags]',
    options: async () => (await options()).managerProjectsChangeConfig,
    load: async () => (await import('../commands/manager/projects.ts')).changeProject,
  },
  'manager projects delete': {
    summary: 'Delete a project; its namespaces stay',
    usage: 'NAME [--yes]',
    options: async () => (await options()).managerProjectsDeleteConfig,
    load: async () => (await import('../commands/manager/projects.ts')).deleteProject,
  },
  'manager users list': {
    summary: 'List the users',
    usage: '[--filter CONDITION] [-o table|json|yaml] [flags]',
    options: async () => (await options()).managerUsersListConfig,
    load: async () => (await import('../commands/manager/users.ts')).listUsers,
  },
  'manager users get': {
    summary: 'Show a user',
    usage: 'USERNAME [-o table|json|yaml]',
    options: async () => (await options()).managerUsersGetConfig,
    load: async () => (await import('../commands/manager/users.ts')).getUser,
  },
  'manager users create': {
    summary: 'Make a user, and print a password that is good for one sign-in',
    usage: 'USERNAME [--role ROLE] [--group GROUP] [flags]',
    options: async () => (await options()).managerUsersCreateConfig,
    load: async () => (await import('../commands/manager/users.ts')).createUser,
  },
  'manager users disable': {
    summary: 'Keep a user out; everything that it has open ends',
    usage: 'USERNAME',
    options: async () => (await options()).managerUsersDisableConfig,
    load: async () => (await import('../commands/manager/users.ts')).disableUser,
  },
  'manager users enable': {
    summary: 'Let a user sign in again',
    usage: 'USERNAME',
    options: async () => (await options()).managerUsersEnableConfig,
    load: async () => (await import('../commands/manager/users.ts')).enableUser,
  },
  'manager users set-password': {
    summary: 'Give a user a password that is good for one sign-in',
    usage: 'USERNAME [--password-file FILE]',
    options: async () => (await options()).managerUsersSetPasswordConfig,
    load: async () => (await import('../commands/manager/users.ts')).setPassword,
  },
  'manager users delete': {
    summary: 'Delete a user with its tokens',
    usage: 'USERNAME [--yes]',
    options: async () => (await options()).managerUsersDeleteConfig,
    load: async () => (await import('../commands/manager/users.ts')).deleteUser,
  },
  'manager roles list': {
    summary: 'List the roles there are',
    usage: '[--filter CONDITION] [-o table|json|yaml] [flags]',
    options: async () => (await options()).managerRolesListConfig,
    load: async () => (await import('../commands/manager/roles.ts')).listRoles,
  },
  'manager roles get': {
    summary: 'Show what a role permits',
    usage: 'NAME [-o table|json|yaml]',
    options: async () => (await options()).managerRolesGetConfig,
    load: async () => (await import('../commands/manager/roles.ts')).getRole,
  },
  'manager roles grant': {
    summary: 'Give a global role to users and groups',
    usage: 'NAME --to user:NAME|group:NAME',
    options: async () => (await options()).managerRolesGrantConfig,
    load: async () => (await import('../commands/manager/roles.ts')).grantRole,
  },
  'manager roles revoke': {
    summary: 'Take a global role from users and groups',
    usage: 'NAME --from user:NAME|group:NAME',
    options: async () => (await options()).managerRolesRevokeConfig,
    load: async () => (await import('../commands/manager/roles.ts')).revokeRole,
  },
  'manager tokens list': {
    summary: "List one's tokens, without their secrets",
    usage: '[--all] [-o table|json|yaml] [flags]',
    options: async () => (await options()).managerTokensListConfig,
    load: async () => (await import('../commands/manager/tokens.ts')).listTokens,
  },
  'manager tokens create': {
    summary: 'Make a token for a program, and print it',
    usage: '[--ttl 30d] [--cluster NAME] [--read-only] [flags]',
    options: async () => (await options()).managerTokensCreateConfig,
    load: async () => (await import('../commands/manager/tokens.ts')).createToken,
  },
  'manager tokens delete': {
    summary: 'Delete tokens; what is open by them ends',
    usage: 'NAME...',
    options: async () => (await options()).managerTokensDeleteConfig,
    load: async () => (await import('../commands/manager/tokens.ts')).deleteTokens,
  },
  'manager kubeconfig': {
    summary: 'Write a kubeconfig of clusters behind the manager',
    usage: '--cluster NAME|--all [--exec] [--ttl 30d] [--out FILE]',
    options: async () => (await options()).managerKubeconfigConfig,
    load: async () => (await import('../commands/manager/kubeconfig.ts')).writeKubeconfig,
  },
  'manager credential': {
    summary: 'Print a credential for kubectl, which runs this by itself',
    usage: '[--server ADDRESS] [--cluster NAME]',
    options: async () => (await options()).managerCredentialConfig,
    load: async () => (await import('../commands/manager/kubeconfig.ts')).printCredential,
  },
  'manager audit': {
    summary: 'Show who did what where, or check that the log is whole',
    usage: '[--follow] [--user NAME] [--cluster NAME] [--since 24h] [flags]',
    options: async () => (await options()).managerAuditConfig,
    load: async () => (await import('../commands/manager/audit.ts')).showAudit,
  },
} as const satisfies Record<string, Command>;
