/** The pages for signing in: plain HTML without a script, that loads nothing and can be framed by nobody. */
import { passwordLength } from '../identity/password-rules.ts';
import type { CliWish } from '../identity/providers/cli-codes.ts';
import { attributes, type Html, html, join } from './html.ts';
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
${form({ action: '/sign-in/cli', hidden: { csrf: page.csrf, ...fieldsOf(page.cli) }, submit: say.grantYes })}${signOut(page.csrf, say.signInAsAnother)}`,
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
  const option = (value: string, text: string): Html =>
    html`<option${attributes({ value, selected: value === typed?.provider })}>${text}</option>`;
  const accounts = [...directories.map(({ name, displayName }) => option(name, displayName)), option('local', say.localAccount)];
  const account = labelled(say.account, 'provider', html`<select name="provider" id="provider">${join(accounts)}</select>`);
  const wrong = { 'aria-invalid': problem?.code === 'credentials-refused' && 'true' };
  // Who may want to go on by a provider is not put past it.
  const begins = problem === undefined && links.length === 0;
  const fields = [
    ...(directories.length > 0 ? [account] : []),
    field(say.username, 'username', { ...usernameField, value: typed?.username ?? '', autofocus: begins, ...wrong }),
    field(say.password, 'password', { ...oldPassword, ...focusAfter(problem), ...wrong }),
  ];
  const providers = html`<nav aria-label="${say.providers}">${join(links.map(({ name, displayName }) => button(`/sign-in/to/${name}${cliQuery(cli)}`, say.signInBy(displayName))))}</nav>
<p class="or">${say.or}</p>
`;
  return join([
    ...(problem === undefined ? [] : [tell(problem, language)]),
    ...(cli === undefined ? [] : [html`<p>${say.commandWaits}</p>\n`]),
    ...(links.length > 0 ? [providers] : []),
    form({ action: '/sign-in', hidden: fieldsOf(cli), fields, submit: say.signIn }),
  ]);
}

function newPassword({ cli, problem, typed }: Page & { readonly kind: 'new-password' }, language: Language): Html {
  const say = texts[language];
  const wrong = problem.code === 'password-weak' || problem.code === 'password-repetition';
  const fresh = { ...freshPassword, 'aria-invalid': wrong && 'true' };
  const fields = [
    field(say.username, 'username', { ...usernameField, value: typed.username, readonly: true }),
    field(say.oldPassword, 'password', { ...oldPassword, ...focusAfter(problem) }),
    field(say.newPassword, 'newPassword', { ...fresh, 'aria-describedby': 'rule' }),
    html`<p class="hint" id="rule">${say.passwordRule(passwordLength)}</p>\n`,
    field(say.newPasswordAgain, 'newPasswordAgain', fresh),
  ];
  return html`${tell(problem, language)}${form({ action: '/sign-in', hidden: { provider: typed.provider, ...fieldsOf(cli) }, fields, submit: say.setPassword })}<nav>${button(`/sign-in${cliQuery(cli)}`, say.signInAsAnother)}</nav>
`;
}

const usernameField = { autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true };
const oldPassword = { type: 'password', autocomplete: 'current-password', required: true };
const freshPassword = { type: 'password', autocomplete: 'new-password', minlength: String(passwordLength.least), required: true };

/** Where somebody goes on after a problem: there it is read to him. */
function focusAfter(problem: Problem | undefined) {
  return { 'autofocus': problem !== undefined, 'aria-describedby': problem === undefined ? undefined : 'problem' };
}

function field(label: string, name: string, of: Readonly<Record<string, string | boolean | undefined>>): Html {
  return labelled(label, name, html`<input${attributes({ name, id: name, ...of })}>`);
}

function labelled(label: string, id: string, control: Html): Html {
  return html`<div class="field"><label for="${id}">${label}</label>${control}</div>
`;
}

/** The code stands with it, for who looks it up or asks for help. */
function tell(problem: Problem, language: Language): Html {
  const text = problemText(problem, language);
  const { code, detail } = problem;
  if (isNotice(problem))
    return html`<p class="notice" id="problem">${text}</p>
`;
  return html`<p class="problem" id="problem" role="alert">${text}<span class="detail" lang="en"><code>${code}</code>${detail === undefined ? '' : `: ${detail}`}</span></p>
`;
}

/** The password was right: nobody has done anything wrong. */
function isNotice({ code }: Problem): boolean {
  return code === 'password-must-change';
}

function button(href: string, text: string): Html {
  return html`<a class="button" href="${href}">${text}</a>`;
}

function signOut(csrf: string, submit: string): Html {
  return form({ action: '/sign-in/out', hidden: { csrf }, submit, plain: true });
}

function form(of: {
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
  readonly fields?: readonly Html[];
  readonly submit: string;
  readonly plain?: boolean;
}): Html {
  const { action, fields = [], submit, plain = false } = of;
  const hidden = Object.entries(of.hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  return html`<form method="post" action="${action}">${join(hidden)}${join(fields)}<button${attributes({ class: plain && 'plain' })}>${submit}</button></form>
`;
}

function fieldsOf(cli: CliWish | undefined): Readonly<Record<string, string>> {
  return cli === undefined ? {} : { port: String(cli.port), challenge: cli.challenge, state: cli.state };
}

/** `?port=…&challenge=…&state=…`, or nothing. */
export function cliQuery(cli: CliWish | undefined): string {
  return cli === undefined ? '' : `?${new URLSearchParams(fieldsOf(cli))}`;
}
