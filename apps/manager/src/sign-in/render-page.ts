/** The pages for signing in: plain HTML without a script, that loads nothing and can be framed by nobody. */
import { hash } from 'node:crypto';
import type { CliWish } from '../identity/providers/cli-codes.ts';

/** A text that is HTML already. */
type Html = { readonly html: string };

/** By whom one can sign in. */
export type Choice = { readonly name: string; readonly displayName: string; readonly by: 'browser' | 'password' };

export type SignInPage = {
  readonly kind: 'sign-in';
  readonly choices: readonly Choice[];
  readonly cli: CliWish | undefined;
  readonly problem?: string | undefined;
  /** What was typed before. */
  readonly typed?: { readonly username: string; readonly provider: string } | undefined;
  /** The password was right, and good for one sign-in: it comes again, with a new one. */
  readonly mustChange?: boolean;
};
export type Page =
  | SignInPage
  | { readonly kind: 'grant'; readonly username: string; readonly csrf: string; readonly cli: CliWish }
  | { readonly kind: 'signed-in'; readonly username: string; readonly csrf: string }
  | { readonly kind: 'problem'; readonly message: string; readonly cure: string; readonly cli: CliWish | undefined };

const style = `
:root { color-scheme: light dark; --line: #8886; --accent: #0b57d0; --on: #fff }
@media (prefers-color-scheme: dark) { :root { --accent: #8ab4f8; --on: #062e6f } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px }
main { width: 100%; max-width: 380px }
h1 { font-size: 24px; margin: 0 0 24px }
form, nav { display: grid; gap: 12px; margin: 0 0 24px }
label { display: grid; gap: 4px; font-size: 14px }
input, select, button, a.button { font: inherit; width: 100%; padding: 10px 12px; border: 1px solid var(--line); border-radius: 8px }
input, select { background: Field; color: FieldText }
button { background: var(--accent); border-color: transparent; color: var(--on); cursor: pointer }
button.plain, a.button { background: transparent; color: inherit; text-align: center; text-decoration: none; display: block }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.problem { border: 1px solid #c5221f; border-radius: 8px; padding: 10px 12px; margin: 0 0 24px }
`;
const styleHash = hash('sha256', style, 'base64');

/** The page, and the headers that go with it. @param page.cli where its form may lead to beside the manager itself */
export function renderPage(page: Page): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const { title, content } = contentOf(page);
  const document = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} · RFO</title><style>${{ html: style }}</style></head>
<body><main><h1>${title}</h1>
${content}</main></body>
</html>
`;
  // Browsers hold the address that a form's answer leads to against form-action as well.
  const forms = page.kind === 'grant' ? `'self' http://127.0.0.1:${page.cli.port}` : "'self'";
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; form-action ${forms}; frame-ancestors 'none'; base-uri 'none'`;
  return {
    body: document.html,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      // Codes and states are in addresses; the origin has to come with our own forms.
      'referrer-policy': 'same-origin',
    },
  };
}

function contentOf(page: Page): { readonly title: string; readonly content: Html } {
  switch (page.kind) {
    case 'sign-in':
      return { title: 'Sign in', content: signIn(page) };
    case 'grant':
      return {
        title: 'Let rfo sign in?',
        content: html`<p>The command <code>rfo manager login</code> on this computer asks for a session of <strong>${page.username}</strong>. Go on only if you have just started it.</p>
<form method="post" action="/sign-in/cli"><input type="hidden" name="csrf" value="${page.csrf}">${cliFields(page.cli)}<button>Let it sign in</button></form>
${signOut(page.csrf, 'Sign in as somebody else')}`,
      };
    case 'signed-in':
      return {
        title: 'Signed in',
        content: html`<p>You are signed in as <strong>${page.username}</strong>.</p>
${signOut(page.csrf, 'Sign out')}`,
      };
    case 'problem':
      return {
        title: 'That did not work',
        content: html`<p class="problem" role="alert">${sentence(page.message)} ${sentence(page.cure)}</p>
<nav><a class="button" href="/sign-in${cliQuery(page.cli)}">Back to signing in</a></nav>
`,
      };
  }
}

function signIn({ choices, cli, problem, typed, mustChange = false }: SignInPage): Html {
  const query = cliQuery(cli);
  const links = choices.filter(({ by }) => by === 'browser');
  const directories = choices.filter(({ by }) => by === 'password');
  const option = (name: string, text: string): Html =>
    html`<option value="${name}"${{ html: name === typed?.provider ? ' selected' : '' }}>${text}</option>`;
  const by =
    directories.length === 0
      ? html``
      : html`<label>Account <select name="provider">${join(directories.map(({ name, displayName }) => option(name, displayName)))}${option('local', 'RFO')}</select></label>
`;
  const fresh = mustChange
    ? html`<label>New password <input name="newPassword" type="password" autocomplete="new-password" required></label>
`
    : html``;
  return html`${
    problem === undefined
      ? html``
      : html`<p class="problem" role="alert">${sentence(problem)}</p>
`
  }${
    links.length === 0
      ? html``
      : html`<nav aria-label="Providers">${join(links.map(({ name, displayName }) => html`<a class="button" href="/sign-in/to/${name}${query}">${displayName}</a>`))}</nav>
`
  }<form method="post" action="/sign-in">${by}<label>User name <input name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required value="${typed?.username ?? ''}"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
${fresh}${cli === undefined ? html`` : cliFields(cli)}<button>Sign in</button></form>
`;
}

function signOut(csrf: string, text: string): Html {
  return html`<form method="post" action="/sign-in/out"><input type="hidden" name="csrf" value="${csrf}"><button class="plain">${text}</button></form>
`;
}

function cliFields(cli: CliWish): Html {
  return join(Object.entries(cli).map(([name, value]) => html`<input type="hidden" name="${name}" value="${String(value)}">`));
}

/** `?port=…&challenge=…&state=…`, or nothing. */
export function cliQuery(cli: CliWish | undefined): string {
  if (cli === undefined) return '';
  return `?${new URLSearchParams({ port: String(cli.port), challenge: cli.challenge, state: cli.state })}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** Everything that is put in is text, unless it is HTML by its type. */
function html(texts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const parts = texts.map((text, at) => {
    const value = values[at];
    return `${text}${value === undefined ? '' : typeof value === 'string' ? escapeText(value) : value.html}`;
  });
  return { html: parts.join('') };
}

function join(parts: readonly Html[]): Html {
  return { html: parts.map((part) => part.html).join('') };
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
