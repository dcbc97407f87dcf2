// The options of `rfo manager …`, the command line of the multi-cluster manager. Flags alone: where the manager is and who is signed in stands in a file of the user.
import { declareOptions, type Rule } from './declaration.ts';
import { list, maybe, optionGroup, preset, type Shape, toggle } from './option.ts';
import { choice, duration, numberType, text, textLike } from './value-types.ts';

const from = ['command-line'] as const;
const debug = { 'debug': toggle({ help: 'Show where an error came from.', from }) };

const output = preset(choice(['table', 'json', 'yaml']), 'table', { help: 'Form of the answer.', short: 'o', from });
const listing = {
  'filter': list(text(), {
    help: 'Only what this holds for: status.phase=Active; also !=, ~ (contains), !~, <, >.',
    value: 'condition',
    from,
  }),
  'search': maybe(text(), { help: 'Only what has this in any of its texts.', from }),
  'sort': maybe(text(), { help: 'Fields to sort by; a minus before one turns it round.', value: 'fields', unset: 'name', from }),
  'limit': preset(numberType({ min: 1, max: 100_000, whole: true }), 1000, { help: 'At most so many.', value: 'number', from }),
  'output': output,
};
/** The objects of a page, which is all that the manager lets a client follow as one list. */
const mostFollowed = 1000;
const following = {
  'watch': toggle({ help: 'Go on with what changes in the list, until it is interrupted.', short: 'w', from }),
  'output-watch-events': toggle({ help: 'With --watch: tell of each whether it was added, changed or has gone from the list.', from }),
};
const followingRules: readonly Rule[] = [
  {
    keys: ['limit', 'watch'],
    judge: ({ limit, watch }: { readonly limit: number; readonly watch: boolean }) =>
      watch && limit > mostFollowed
        ? { problem: `no more than ${mostFollowed} objects of a list can be followed`, cure: 'Give a smaller --limit, and a --filter' }
        : undefined,
  },
  {
    keys: ['output-watch-events', 'watch'],
    judge: (values: { readonly 'output-watch-events': boolean; readonly 'watch': boolean }) =>
      values['output-watch-events'] && !values.watch
        ? { problem: 'there are no events where nothing is followed', cure: 'Give --watch as well' }
        : undefined,
  },
];
const force = (what: string) => toggle({ help: `Do not ask before ${what}.`, short: 'y', from });
const description = maybe(textLike(/^[^\p{Cc}]{1,1024}$/u, 'a line of up to 1024 characters', '"the racks in Lyon"'), {
  help: 'What it is for.',
  from,
});
const displayName = maybe(textLike(/^[^\p{Cc}]{1,128}$/u, 'a line of up to 128 characters', '"Lyon, production"'), {
  help: 'Its name for people.',
  from,
});
const label = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const objectName = (what: string, example: string) => textLike(new RegExp(`^${label}$`), what, example);
const ttl = (unset: string) => maybe(duration(), { help: 'How long it is good for.', value: 'duration', unset, from });
const passwordFile = (what: string) =>
  maybe(text(), { help: `File that holds ${what}; - for the standard input.`, value: 'file', path: true, unset: 'it is asked for', from });
/** Somebody who has a right: `user:ada`, `group:operators`, or `group:corp:Domain Users` of a provider. */
const who = '(user:[^\\s:,]{1,512}|group:[^\\s,]([^,\\r\\n\\t]{0,510}[^\\s,])?)';
const member = () =>
  textLike(new RegExp(`^${who}:[a-z0-9][-a-z0-9.]{0,252}$`), 'a member and a role', 'user:ada:owner or group:operators:viewer');
const formerMember = () =>
  textLike(new RegExp(`^${who}(:[a-z0-9][-a-z0-9.]{0,252})?$`), 'a member', 'user:ada, or user:ada:owner for one role alone');
const place = () =>
  textLike(new RegExp(`^${label}(/${label}(,${label})*)?$`), 'a cluster or namespaces of one', 'lyon or lyon/shop,shop-test');
const quota = () => textLike(/^[a-z0-9./-]{1,253}=[0-9][0-9A-Za-z.+-]{0,62}$/, 'a resource and its limit', 'pods=50 or limits.cpu=10');

export const managerLoginConfig = declare('manager login', {
  'username': maybe(text(), { help: 'Who signs in, by a password.', short: 'u', unset: 'it is asked for', from }),
  'provider': maybe(objectName('a provider', 'corp'), {
    help: 'Provider to sign in by: a directory with a password, another one in the browser.',
    unset: 'the manager itself, or what is chosen in the browser',
    from,
  }),
  'browser': toggle({ help: 'Sign in by a browser on this computer, as without --username where a provider needs one.', from }),
  'print-url': toggle({ help: 'Print the address for the browser, and do not open it.', from }),
  'password-file': passwordFile('the password, and in a second line a new one to replace it'),
  'token-file': maybe(text(), {
    help: 'File that holds an API token to use instead of a password; - for the standard input.',
    value: 'file',
    path: true,
    from,
  }),
  'ca-file': maybe(text(), {
    help: 'CA of the manager, in PEM.',
    value: 'file',
    path: true,
    unset: 'the one it shows, once it is confirmed',
    from,
  }),
  'ca-pin': maybe(textLike(/^(sha256:)?[0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){31}$/, 'the SHA-256 of a certificate', 'sha256:5f0c…'), {
    help: 'SHA-256 of the CA certificate of the manager, as the manager prints it when it starts.',
    value: 'hash',
    from,
  }),
  'system-ca': toggle({ help: 'Trust the CAs of this host: for a manager with a public certificate.', from }),
});

export const managerLogoutConfig = declare('manager logout', {});
export const managerWhoamiConfig = declare('manager whoami', { 'output': output });
export const managerPasswordConfig = declare('manager password', {
  'password-file': maybe(text(), {
    help: 'File with the present password in its first line and the new one in its second; - for the standard input.',
    value: 'file',
    path: true,
    unset: 'both are asked for',
    from,
  }),
});

export const managerClustersListConfig = declare('manager clusters list', { ...listing, ...following }, followingRules);
export const managerClustersGetConfig = declare('manager clusters get', { 'output': output });
export const managerClustersImportConfig = declare('manager clusters import', {
  'display-name': displayName,
  'description': description,
  'output': output,
});
export const managerClustersChangeConfig = declare('manager clusters change', {
  'display-name': displayName,
  'description': description,
  'endpoint': maybe(choice(['on', 'off']), {
    help: 'Whether kubeconfigs also lead straight to its API servers, for when the manager is away; they have to be set up for it.',
    from,
  }),
  'endpoint-address': maybe(text(), {
    help: 'Host, or host:port, that people reach them by.',
    value: 'address',
    unset: 'the addresses that they tell of themselves',
    from,
  }),
  'endpoint-ca-file': maybe(text(), {
    help: 'CA of the certificate shown there, in PEM.',
    value: 'file',
    path: true,
    unset: 'the CA of the cluster',
    from,
  }),
  'output': output,
});
export const managerClustersDisconnectConfig = declare('manager clusters disconnect', { 'yes': force('the cluster is disconnected') });

export const managerGetConfig = declare(
  'manager get',
  {
    'namespace': maybe(objectName('a namespace', 'shop'), {
      help: 'Only in this namespace.',
      short: 'n',
      unset: 'all that one may look into',
      from,
    }),
    'all-namespaces': toggle({ help: 'In all namespaces that one may look into, as without --namespace.', short: 'A', from }),
    'selector': maybe(text(), { help: 'Only what has these labels: tier=front,env in (prod,test).', short: 'l', value: 'labels', from }),
    ...listing,
    ...following,
  },
  [
    ...followingRules,
    {
      keys: ['all-namespaces', 'namespace'],
      judge: (values: { readonly 'all-namespaces': boolean; readonly 'namespace': string | undefined }) =>
        values['all-namespaces'] && values.namespace !== undefined
          ? { problem: `it contradicts --namespace ${values.namespace}`, cure: 'Give one of the two' }
          : undefined,
    },
  ],
);

export const managerProjectsListConfig = declare('manager projects list', listing);
export const managerProjectsGetConfig = declare('manager projects get', { 'output': output });
const projectFields = {
  'display-name': displayName,
  'description': description,
  'member': list(member(), { help: 'Member with a role: user:NAME:ROLE or group:NAME:ROLE.', value: 'member', split: true, from }),
  'place': list(place(), { help: 'Where: CLUSTER, or CLUSTER/NAMESPACE,NAMESPACE.', value: 'place', from }),
  'quota': list(quota(), { help: 'Limit of each namespace: RESOURCE=AMOUNT.', value: 'limit', split: true, from }),
};
export const managerProjectsCreateConfig = declare('manager projects create', { ...projectFields, 'output': output });
export const managerProjectsChangeConfig = declare('manager projects change', {
  ...projectFields,
  'remove-member': list(formerMember(), {
    help: 'Member to remove: user:NAME, of one role alone user:NAME:ROLE.',
    value: 'member',
    split: true,
    from,
  }),
  'remove-place': list(objectName('a cluster', 'lyon'), { help: 'Cluster to take out.', value: 'cluster', split: true, from }),
  'remove-quota': list(textLike(/^[a-z0-9./-]{1,253}$/, 'a resource', 'pods'), {
    help: 'Limit to lift.',
    value: 'resource',
    split: true,
    from,
  }),
  'output': output,
});
export const managerProjectsDeleteConfig = declare('manager projects delete', { 'yes': force('the project is deleted') });

export const managerUsersListConfig = declare('manager users list', listing);
export const managerUsersGetConfig = declare('manager users get', { 'output': output });
export const managerUsersCreateConfig = declare('manager users create', {
  'display-name': displayName,
  'email': maybe(textLike(/^[^\s@]+@[^\s@]+$/, 'a mail address', 'ada@example.com'), { help: 'Mail address.', from }),
  'group': list(text(), { help: 'Group that it is in.', split: true, from }),
  'role': list(text(), { help: 'Global role that it gets, beside the one that everybody has.', split: true, from }),
  'password-file': maybe(text(), {
    help: 'File that holds its password; - for the standard input.',
    value: 'file',
    path: true,
    unset: 'a one-time password is made and printed',
    from,
  }),
  'output': output,
});
export const managerUsersDisableConfig = declare('manager users disable', {});
export const managerUsersEnableConfig = declare('manager users enable', {});
export const managerUsersSetPasswordConfig = declare('manager users set-password', { 'password-file': passwordFile('the new password') });
export const managerUsersDeleteConfig = declare('manager users delete', { 'yes': force('the user is deleted') });

export const managerRolesListConfig = declare('manager roles list', listing);
export const managerRolesGetConfig = declare('manager roles get', { 'output': output });
const providerSettings = {
  'display-name': displayName,
  'set': list(textLike(/^[A-Za-z]{1,64}=[^\p{Cc}]{1,2048}$/u, 'a setting', 'issuer=https://id.example.com'), {
    help: 'Setting of the type: issuer, clientId, url, bindDn, userBase, servers=HOST,HOST.',
    value: 'key=value',
    from,
  }),
  'settings-file': maybe(text(), { help: 'File with the settings of the type, in YAML or JSON.', value: 'file', path: true, from }),
  'ca-file': maybe(text(), {
    help: 'CAs that its certificate may be of, in PEM.',
    value: 'file',
    path: true,
    unset: 'those of the host',
    from,
  }),
  'secret-file': maybe(text(), {
    help: 'File that holds the client secret, or the password of bindDn, in its first line; - for the standard input.',
    value: 'file',
    path: true,
    from,
  }),
  'allow-everybody': toggle({ help: 'Everybody whom it vouches for may sign in.', from }),
  'allow-user': list(text(), { help: 'User who may sign in, by the name there.', value: 'user', from }),
  'allow-group': list(text(), { help: 'Group whose members may sign in, by its name there.', value: 'group', from }),
  'refresh': maybe(duration(), {
    help: 'After this it is asked again about those who are signed in.',
    value: 'duration',
    unset: '5m',
    from,
  }),
};
export const managerProvidersListConfig = declare('manager providers list', listing);
export const managerProvidersGetConfig = declare('manager providers get', { 'output': output });
export const managerProvidersCreateConfig = declare('manager providers create', {
  'type': maybe(choice(['oidc', 'github', 'ldap']), { help: 'How it is asked; it has to be given.', from }),
  ...providerSettings,
  'disabled': toggle({ help: 'Nobody can sign in by it yet, and it is not tried.', from }),
  'output': output,
});
export const managerProvidersChangeConfig = declare('manager providers change', providerSettings);
export const managerProvidersTestConfig = declare('manager providers test', {});
export const managerProvidersSearchConfig = declare('manager providers search', { 'output': output });
export const managerProvidersEnableConfig = declare('manager providers enable', {});
export const managerProvidersDisableConfig = declare('manager providers disable', {});
export const managerProvidersDeleteConfig = declare('manager providers delete', { 'yes': force('the provider is deleted') });

const subject = () => textLike(new RegExp(`^${who}$`), 'a user or a group', 'user:ada or group:operators');
const to = { 'to': list(subject(), { help: 'Who: user:NAME or group:NAME.', value: 'subject', split: true, from }) };
export const managerRolesGrantConfig = declare('manager roles grant', to);
export const managerRolesRevokeConfig = declare('manager roles revoke', {
  'from': list(subject(), { help: 'Whom: user:NAME or group:NAME.', value: 'subject', split: true, from }),
});

export const managerTokensListConfig = declare('manager tokens list', {
  'all': toggle({ help: 'Those of all users.', from }),
  ...listing,
});
export const managerTokensCreateConfig = declare('manager tokens create', {
  'description': description,
  'ttl': ttl('30 days, or what the manager allows'),
  'cluster': list(objectName('a cluster', 'lyon'), { help: 'Only cluster that it is good for.', split: true, unset: 'all', from }),
  'read-only': toggle({ help: 'It changes nothing, whatever its user may.', from }),
  'output': preset(choice(['token', 'json', 'yaml']), 'token', {
    help: 'Form of the answer: the token alone, or all of it.',
    short: 'o',
    from,
  }),
});
export const managerTokensDeleteConfig = declare('manager tokens delete', {});

export const managerKubeconfigConfig = declare('manager kubeconfig', {
  'cluster': list(objectName('a cluster', 'lyon'), { help: 'Cluster to put into it.', split: true, from }),
  'all': toggle({ help: 'All clusters that you may enter.', from }),
  'exec': toggle({ help: 'No token in the file: kubectl asks rfo for one each time.', from }),
  'ttl': ttl('30 days, or what the manager allows; with --exec there is none'),
  'read-only': toggle({ help: 'The token in it changes nothing.', from }),
  'out': preset(text(), '-', { help: 'File to write, readable by you alone; - for the standard output.', value: 'file', path: true, from }),
});

export const managerCredentialConfig = declare('manager credential', {
  'server': maybe(text(), { help: 'Manager that the kubeconfig is of: another one gets no credential.', value: 'address', from }),
  'cluster': maybe(objectName('a cluster', 'lyon'), { help: 'Cluster that the credential is for.', unset: 'any', from }),
});

export const managerAuditConfig = declare('manager audit', {
  'follow': toggle({ help: 'Go on with what happens now, until it is interrupted.', short: 'f', from }),
  'verify': toggle({ help: 'Check instead that nothing was removed or changed.', from }),
  'user': maybe(text(), { help: 'Only what this user did.', from }),
  'cluster': maybe(text(), { help: 'Only what was done in this cluster.', from }),
  'verb': maybe(text(), { help: 'Only this.', value: 'verb', from }),
  'text': maybe(text(), { help: 'Only entries that have this in any of their texts.', from }),
  'since': maybe(duration(), { help: 'Only the last so long.', value: 'duration', from }),
  'limit': preset(numberType({ min: 1, max: 100_000, whole: true }), 100, { help: 'At most so many, the newest.', value: 'number', from }),
  'output': preset(choice(['table', 'json', 'yaml']), 'table', {
    help: 'Form of the entries; json: one a line.',
    short: 'o',
    from,
  }),
});

/** For the reference. */
export const managerCommandConfigs = [
  managerLoginConfig,
  managerLogoutConfig,
  managerWhoamiConfig,
  managerPasswordConfig,
  managerClustersListConfig,
  managerClustersGetConfig,
  managerClustersImportConfig,
  managerClustersChangeConfig,
  managerClustersDisconnectConfig,
  managerGetConfig,
  managerProjectsListConfig,
  managerProjectsGetConfig,
  managerProjectsCreateConfig,
  managerProjectsChangeConfig,
  managerProjectsDeleteConfig,
  managerUsersListConfig,
  managerUsersGetConfig,
  managerUsersCreateConfig,
  managerUsersDisableConfig,
  managerUsersEnableConfig,
  managerUsersSetPasswordConfig,
  managerUsersDeleteConfig,
  managerRolesListConfig,
  managerRolesGetConfig,
  managerRolesGrantConfig,
  managerRolesRevokeConfig,
  managerProvidersListConfig,
  managerProvidersGetConfig,
  managerProvidersCreateConfig,
  managerProvidersChangeConfig,
  managerProvidersTestConfig,
  managerProvidersSearchConfig,
  managerProvidersEnableConfig,
  managerProvidersDisableConfig,
  managerProvidersDeleteConfig,
  managerTokensListConfig,
  managerTokensCreateConfig,
  managerTokensDeleteConfig,
  managerKubeconfigConfig,
  managerCredentialConfig,
  managerAuditConfig,
];

function declare<S extends Shape>(name: string, options: S, rules: readonly Rule[] = []) {
  return declareOptions({ name, rules, options: { ...optionGroup('Flags', options), ...optionGroup('Diagnosis', debug) } });
}
