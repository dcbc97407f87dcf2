/** Hides what looks like a secret in the arguments of a command, for the audit log. */

const mask = '•••';
const most = 32;
const longest = 256;
const secret = '(?:[\\w-]*(?:password|passwd|passphrase|secret|token|api-?key|private-?key|credential)s?)';
/** `--password=x`, `PGPASSWORD=x`, `"token": "x"`, `Authorization: Bearer x`, `scheme://user:x@host` */
const assigned = new RegExp(`(${secret}["']?\\s*[=:]\\s*)(?:"[^"]*"|'[^']*'|[^\\s&"';,]+)`, 'gi');
const bearer = /\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}/gi;
const userInfo = /(:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g;
/** `--password x`, within one argument of a shell or as two arguments. */
const named = new RegExp(`((?:^|\\s)--?${secret}\\s+)(?:"[^"]*"|'[^']*'|[^\\s"']+)`, 'gi');
const flag = new RegExp(`^--?${secret}$`, 'i');

/** At most 32 of them, each cut at 256 characters. */
export function maskArguments(command: readonly string[]): string[] {
  const shown = command.slice(0, most).map((argument, at) => {
    if (flag.test(command[at - 1] ?? '')) return mask;
    const masked = argument
      .slice(0, 4 * longest)
      .replace(bearer, `$1${mask}`)
      .replace(assigned, `$1${mask}`)
      .replace(named, `$1${mask}`)
      .replace(userInfo, `$1${mask}`);
    return masked.length > longest ? `${masked.slice(0, longest)}…` : masked;
  });
  return command.length > most ? [...shown, `… (${command.length} arguments)`] : shown;
}
