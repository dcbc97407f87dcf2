/** Every text of the pages for signing in, in each language: one that is missing is a type error. */
import { type Html, html } from './html.ts';
import type { Problem, ProblemCode } from './problem.ts';

/** The first one is for who reads none of them. */
export const languages = ['en', 'zh-CN'] as const;
export type Language = (typeof languages)[number];

/** Of one problem: what is wrong, and what to do about it. */
type ProblemText = (problem: Problem & { readonly wait: string }) => readonly [string, string];
type Texts = {
  /** Between two sentences. */
  readonly gap: string;
  readonly signIn: string;
  readonly signOut: string;
  readonly signInAsAnother: string;
  readonly backToSignIn: string;
  readonly providers: string;
  readonly signInBy: (provider: string) => string;
  readonly or: string;
  readonly account: string;
  readonly localAccount: string;
  readonly username: string;
  readonly password: string;
  readonly choosePassword: string;
  readonly oldPassword: string;
  readonly newPassword: string;
  readonly newPasswordAgain: string;
  readonly passwordRule: (length: { readonly least: number; readonly most: number }) => string;
  readonly setPassword: string;
  readonly commandWaits: Html;
  readonly grant: string;
  readonly grantAsked: (username: string) => Html;
  readonly grantYes: string;
  readonly signedIn: string;
  readonly signedInAs: (username: string) => Html;
  readonly failed: string;
  /** Before the title of a page that tells of a problem. */
  readonly problem: string;
  readonly problems: Readonly<Record<ProblemCode, ProblemText>>;
};

const english: Texts = {
  gap: ' ',
  signIn: 'Sign in',
  signOut: 'Sign out',
  signInAsAnother: 'Sign in as somebody else',
  backToSignIn: 'Back to signing in',
  providers: 'Providers',
  signInBy: (provider) => `Sign in with ${provider}`,
  or: 'or',
  account: 'Account',
  localAccount: 'RFO',
  username: 'User name',
  password: 'Password',
  choosePassword: 'Choose a new password',
  oldPassword: 'Current password',
  newPassword: 'New password',
  newPasswordAgain: 'New password again',
  passwordRule: ({ least, most }) =>
    `${least} to ${most} characters, and neither your name nor your e-mail address nor the current password.`,
  setPassword: 'Set it and sign in',
  commandWaits: html`The command <code>rfo manager login</code> waits for you to sign in here.`,
  grant: 'Let rfo sign in?',
  grantAsked: (username) =>
    html`The command <code>rfo manager login</code> on this computer asks for a session of <strong>${username}</strong>. Go on only if you have just started it.`,
  grantYes: 'Let it sign in',
  signedIn: 'Signed in',
  signedInAs: (username) => html`You are signed in as <strong>${username}</strong>.`,
  failed: 'That did not work',
  problem: 'Problem',
  problems: {
    'credentials-refused': () => [
      'The user name or the password is not right.',
      'Check both; if they are right, the account was taken back: ask an administrator.',
    ],
    'password-must-change': () => ['This password was good for one sign-in only.', 'Choose one of your own.'],
    'password-weak': () => ['The new password cannot be taken.', 'Choose another one.'],
    'password-repetition': () => ['The new password and its repetition differ.', 'Type both again.'],
    'sign-in-limited': ({ wait }) => [
      'Too many attempts to sign in have failed.',
      `Try again in ${wait}. An administrator ends the wait by setting a new password.`,
    ],
    'sign-in-busy': () => ['Too many people sign in at this moment.', 'Try again in a few seconds.'],
    'provider-not-allowed': ({ provider, username }) => [
      `${provider} knows you as ${username}, who is not among those who may sign in here.`,
      'Ask an administrator to let you or one of your groups in.',
    ],
    'provider-unreachable': ({ provider }) => [`${provider} cannot be asked now.`, 'Try again, or tell an administrator.'],
    'provider-settings': ({ provider }) => [`${provider} cannot be asked now.`, 'Try again, or tell an administrator.'],
    'provider-unknown': ({ provider }) => [`Nobody can sign in with ${provider} here.`, 'Choose another way to sign in.'],
    'provider-refused': ({ provider }) => [
      `${provider} does not vouch for you.`,
      'Sign in again; if it stays so, an administrator finds the reason in the log.',
    ],
    'sign-in-lost': () => ['This sign-in was not begun in this browser, or took longer than ten minutes.', 'Begin it again.'],
    'sign-in-form': () => [
      'The address or the form was not complete.',
      'Begin again. Of an address that rfo manager login has printed, copy all.',
    ],
    'server-url-unknown': () => [
      'The manager does not know its own address.',
      'Tell an administrator that the setting server-url is missing.',
    ],
    'csrf-refused': () => [
      'The form was not sent by a page of this manager.',
      'Open the page anew, at the address that the manager is known by.',
    ],
    'not-signed-in': () => ['You are not signed in.', 'Sign in again.'],
    'session-ended': () => ['The time of your session is over.', 'Sign in again.'],
    'request-too-large': () => ['What was sent is too large.', 'Send less.'],
    'request-too-slow': () => ['What was sent did not arrive in time.', 'Try again.'],
    'internal': () => ['The manager failed to answer.', 'Try again; its log says more.'],
  },
};

const chinese: Texts = {
  gap: '',
  signIn: '登录',
  signOut: '退出登录',
  signInAsAnother: '换一个账号登录',
  backToSignIn: '返回登录',
  providers: '登录方式',
  signInBy: (provider) => `用 ${provider} 登录`,
  or: '或',
  account: '账号来源',
  localAccount: 'RFO',
  username: '用户名',
  password: '密码',
  choosePassword: '设置新密码',
  oldPassword: '当前密码',
  newPassword: '新密码',
  newPasswordAgain: '再次输入新密码',
  passwordRule: ({ least, most }) => `${least} 到 ${most} 个字符，不能是用户名、邮箱地址或当前密码。`,
  setPassword: '设置并登录',
  commandWaits: html`命令 <code>rfo manager login</code> 正在等待你在这里登录。`,
  grant: '允许 rfo 登录吗？',
  grantAsked: (username) =>
    html`这台电脑上的命令 <code>rfo manager login</code> 请求以 <strong>${username}</strong> 的身份建立会话。只有刚刚由你自己启动它时才继续。`,
  grantYes: '允许登录',
  signedIn: '已登录',
  signedInAs: (username) => html`你已登录为 <strong>${username}</strong>。`,
  failed: '操作没有成功',
  problem: '出错',
  problems: {
    'credentials-refused': () => ['用户名或密码不正确。', '请检查后重试；如果确认无误，账号可能已被停用，请联系管理员。'],
    'password-must-change': () => ['当前密码只能用于一次登录。', '请设置自己的新密码。'],
    'password-weak': () => ['新密码不符合要求。', '请换一个。'],
    'password-repetition': () => ['两次输入的新密码不一致。', '请重新输入。'],
    'sign-in-limited': ({ wait }) => ['登录失败次数过多。', `请等待 ${wait}后重试。管理员重设密码可立即解除等待。`],
    'sign-in-busy': () => ['当前登录的人太多。', '请过几秒再试。'],
    'provider-not-allowed': ({ provider, username }) => [
      `${provider} 确认你是 ${username}，但这个用户不在允许登录的名单中。`,
      '请联系管理员，允许你或你所在的组登录。',
    ],
    'provider-unreachable': ({ provider }) => [`目前无法联系 ${provider}。`, '请稍后重试，或告知管理员。'],
    'provider-settings': ({ provider }) => [`目前无法联系 ${provider}。`, '请稍后重试，或告知管理员。'],
    'provider-unknown': ({ provider }) => [`这里不能用 ${provider} 登录。`, '请选择其他登录方式。'],
    'provider-refused': ({ provider }) => [`${provider} 没有确认你的身份。`, '请重新登录；如果仍然如此，管理员可以在日志中找到原因。'],
    'sign-in-lost': () => ['这次登录不是在这个浏览器中开始的，或者已超过十分钟。', '请重新开始。'],
    'sign-in-form': () => ['地址或表单不完整。', '请重新开始。如果地址是 rfo manager login 打印的，请完整复制。'],
    'server-url-unknown': () => ['管理器不知道自己的地址。', '请告知管理员：缺少设置 server-url。'],
    'csrf-refused': () => ['这个表单不是由本管理器的页面发出的。', '请用管理器的正式地址重新打开页面。'],
    'not-signed-in': () => ['你还没有登录。', '请重新登录。'],
    'session-ended': () => ['会话已经结束。', '请重新登录。'],
    'request-too-large': () => ['发送的内容过大。', '请缩短后重试。'],
    'request-too-slow': () => ['发送的内容没有及时到达。', '请重试。'],
    'internal': () => ['管理器未能应答。', '请重试；原因见管理器的日志。'],
  },
};

export const texts = { 'en': english, 'zh-CN': chinese } as const satisfies Record<Language, Texts>;

/** What is wrong and what to do about it, in full sentences. */
export function problemText(problem: Problem, language: Language): string {
  const { gap, problems } = texts[language];
  return problems[problem.code]({ ...problem, wait: waitText(problem.retryAfter ?? 0, language) }).join(gap);
}

/** `45 seconds`, `2 minutes`: never less than it is. */
function waitText(seconds: number, language: Language): string {
  const [unit, count] = seconds < 60 ? ['second', seconds] : ['minute', Math.ceil(seconds / 60)];
  return new Intl.NumberFormat(language, { style: 'unit', unit: String(unit), unitDisplay: 'long' }).format(Number(count));
}
