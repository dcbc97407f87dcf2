// The password table `cred/passwd`: CSV rows `password,user,user,role`, as RKE2 writes them.
import { fail } from '@rfo/foundation';

/** @param passwords of servers, and of agents (the same where they share one) */
export function renderPasswd({ server, agent }: { readonly server: string; readonly agent: string }): string {
  return `${quote(server)},server,server,rfo:server\n${quote(agent)},node,node,rfo:agent\n`;
}

/**
 * The reverse; `agent` is absent where it is that of the servers.
 * @throws data-unreadable
 */
export function parsePasswd(table: string, file: string): { readonly server: string; readonly agent?: string } {
  const passwords = new Map(
    table.split('\n').flatMap((line) => {
      const [, quoted, plain, user] = /^(?:"((?:[^"]|"")*)"|([^",]*)),([^,]*),/.exec(line) ?? [];
      const password = quoted?.replaceAll('""', '"') ?? plain;
      return user === undefined || password === undefined || password === '' ? [] : [[user, password] as const];
    }),
  );
  const server = passwords.get('server');
  const agent = passwords.get('node');
  if (server === undefined) throw fail('data-unreadable', { file });
  return { server, ...(agent !== undefined && agent !== server && { agent }) };
}

function quote(password: string): string {
  return /[",]/.test(password) ? `"${password.replaceAll('"', '""')}"` : password;
}
