/** The pages for signing in: plain HTML without a script, that loads nothing and can be framed by nobody. */
import { passwordLength } from '../identity/password-rules.ts';
import type { CliWish } from '../identity/providers/cli-codes.ts';
import { attributes, type Html, html, join, nothing } from './html.ts';
import type { Problem } from './problem.ts';
import { style, styleHash } from './style.ts';
import { type Language, problemText, texts } from './texts.ts';

/** By whom one can sign in. */
export type Choice = { readonly name: string; readonly displayName: string; readonly by: 'browser' | 'password' };

type SignInPage = {
  readonly kind: 'sign-in';
  readonly choices: readonly Choice[];
  readonly cli: CliWish | undefined;
  readonly problem?: Problem | undefined;
  /** What was typed before. */
  readonly typed?: { readonly username: string; readonly provider: string } | undefined;
};
export type Page =
  | SignInPage
  /** The password is good for one sign-in: it comes again, with a new one. */
  | {
      readonly kind: 'new-password';
      readonly cli: CliWish | undefined;
      readonly problem: Problem;
      readonly typed: { readonly username: string; readonly provider: string };
    }
  | { readonly kind: 'grant'; readonly username: string; readonly csrf: string; readonly cli: CliWish }
  | { readonly kind: 'signed-in'; readonly username: string; readonly csrf: string }
  | { readonly kind: 'problem'; readonly problem: Problem; readonly cli: CliWish | undefined };

/** The page, and the headers that go with it. @param page.cli where its form may lead to beside the manager itself */
export function renderPage(page: Page, language: Language): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const { title, content } = contentOf(page, language);
  const told = 'problem' in page && page.problem !== undefined && !isNotice(page.problem) ? `${texts[language].problem}: ` : '';
  const document = html`<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${told}${title} · RFO</title><style>${{ html: style }}</style></head>
<body><main><h1>${title}</h1>
${content}</main></body>
</html>
`;
  // Browsers hold the address that a form's answer leads to against form-action as well.
  const forms = page.kind === 'grant' ? `'self' http://127.0.0.1:${page.cli.port}` : "'self'";
  const policy = `default-src 'none'; style-src '${styleHash}'; form-action ${forms}; frame-ancestors 'none'; base-uri 'none'`;
  return {
    body: document.html,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-language': language,
      'vary': 'accept-language',
      'content-security-policy': policy,
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      // Codes and states are in addresses; the origin has to come with our own forms.
      'referrer-policy': 'same-origin',
    },
  };
}

function contentOf(page: Page, language: Language): { readonly title: string; readonly content: Html } {
  const say = texts[language];
  switch (page.kind) {
    case 'sign-in':
      return { title: say.signIn, content: signIn(page, language) };
    case 'new-password':
      return { title: say.choosePassword, content: newPassword(page, language) };
    case 'grant':
      return {
        title: say.grant,
        content: html`<p>${say.grantAsked(page.username)}</p>
<form method="post" action="/sign-in/cli">${hidden({ csrf: page.csrf, ...fieldsOf(page.cli) })}<button>${say.grantYes}</button></form>
${signOut(page.csrf, say.signInAsAnother)}`,
      };
    case 'signed-in':
      return {
        title: say.signedIn,
        content: html`<p>${say.signedInAs(page.username)}</p>
${signOut(page.csrf, say.signOut)}`,
      };
    case 'problem':
      return {
        title: say.failed,
        content: html`${tell(page.problem, language)}<nav>${button(`/sign-in${cliQuery(page.cli)}`, say.backToSignIn)}</nav>
`,
      };
  }
}

function signIn({ choices, cli, problem, typed }: SignInPage, language: Language): Html {
  const say = texts[language];
  const links = choices.filter(({ by }) => by === 'browser');
  const directories = choices.filter(({ by }) => by === 'password');
  const option = (name: string, text: string): Html =>
    html`<option${attributes({ value: name, selected: name === typed?.provider })}>${text}</option>`;
  const by = directories.map(({ name, displayName }) => option(name, displayName));
  const wrong = problem?.code === 'credentials-refused';
  // Who may want to go on by a provider is not put past it.
  const first = problem === undefined && links.length === 0;
  return html`${problem === undefined ? nothing : tell(problem, language)}${
    cli === undefined
      ? nothing
      : html`<p>${say.commandWaits}</p>
`
  }${
    links.length === 0
      ? nothing
      : html`<nav aria-label="${say.providers}">${join(links.map(({ name, displayName }) => button(`/sign-in/to/${name}${cliQuery(cli)}`, say.signInBy(displayName))))}</nav>
<p class="or">${say.or}</p>
`
  }<form method="post" action="/sign-in">${hidden(fieldsOf(cli))}${
    directories.length === 0
      ? nothing
      : html`<label>${say.account} <select name="provider">${join(by)}${option('local', say.localAccount)}</select></label>
`
  }${field(say.username, { ...usernameField, 'value': typed?.username ?? '', 'autofocus': first, 'aria-invalid': wrong && 'true' })}${field(
    say.password,
    { ...passwordField('password', 'current-password'), ...focused(problem), 'aria-invalid': wrong && 'true' },
  )}<button>${say.signIn}</button></form>
`;
}

function newPassword({ cli, problem, typed }: Page & { readonly kind: 'new-password' }, language: Language): Html {
  const say = texts[language];
  const wrong = problem.code === 'password-weak' || problem.code === 'password-repetition';
  const fresh = {
    ...passwordField('newPassword', 'new-password'),
    minlength: String(passwordLength.least),
    'aria-invalid': wrong && 'true',
  };
  return html`${tell(problem, language)}<form method="post" action="/sign-in">${hidden({ provider: typed.provider, ...fieldsOf(cli) })}${field(
    say.username,
    { ...usernameField, value: typed.username, readonly: true },
  )}${field(say.oldPassword, { ...passwordField('password', 'current-password'), ...focused(problem) })}${field(say.newPassword, {
    ...fresh,
    'aria-describedby': 'rule',
  })}<p class="hint" id="rule">${say.passwordRule(passwordLength)}</p>
${field(say.newPasswordAgain, { ...fresh, name: 'newPasswordAgain' })}<button>${say.setPassword}</button></form>
<nav>${button(`/sign-in${cliQuery(cli)}`, say.signInAsAnother)}</nav>
`;
}

const usernameField = { name: 'username', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true };

function passwordField(name: string, autocomplete: 'current-password' | 'new-password') {
  return { name, type: 'password', autocomplete, required: true };
}

/** Where somebody goes on after a problem: there it is read to him. */
function focused(problem: Problem | undefined) {
  return { 'autofocus': problem !== undefined, 'aria-describedby': problem === undefined ? undefined : 'problem' };
}

function field(label: string, of: Readonly<Record<string, string | boolean | undefined>>): Html {
  return html`<label>${label} <input${attributes(of)}></label>
`;
}

/** The code stands with it, for who looks it up or asks for help. */
function tell(problem: Problem, language: Language): Html {
  const [message, cure] = problemText(problem, language);
  const { code, detail } = problem;
  if (isNotice(problem))
    return html`<p class="notice" id="problem">${message} ${cure}</p>
`;
  return html`<p class="problem" id="problem" role="alert">${message} ${cure}<span class="detail" lang="en"><code>${code}</code>${detail === undefined ? '' : `: ${detail}`}</span></p>
`;
}

/** The password was right: nobody has done anything wrong. */
function isNotice({ code }: Problem): boolean {
  return code === 'password-must-change';
}

function button(href: string, text: string): Html {
  return html`<a class="button" href="${href}">${text}</a>`;
}

function signOut(csrf: string, text: string): Html {
  return html`<form method="post" action="/sign-in/out">${hidden({ csrf })}<button class="plain">${text}</button></form>
`;
}

function hidden(values: Readonly<Record<string, string>>): Html {
  return join(Object.entries(values).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`));
}

function fieldsOf(cli: CliWish | undefined): Readonly<Record<string, string>> {
  return cli === undefined ? {} : { port: String(cli.port), challenge: cli.challenge, state: cli.state };
}

/** `?port=…&challenge=…&state=…`, or nothing. */
export function cliQuery(cli: CliWish | undefined): string {
  return cli === undefined ? '' : `?${new URLSearchParams(fieldsOf(cli))}`;
}
