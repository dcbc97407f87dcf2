/** What people read on the pages for signing in, in their language: what a scenario finds fields and buttons by. */
export type Words = {
  readonly signIn: string;
  readonly signInBy: (provider: string) => string;
  readonly account: string;
  readonly username: string;
  readonly password: string;
  readonly choosePassword: string;
  readonly oldPassword: string;
  readonly newPassword: string;
  readonly newPasswordAgain: string;
  readonly setPassword: string;
  readonly signedIn: string;
  readonly signedInAs: (username: string) => string;
  readonly signOut: string;
  readonly back: string;
  readonly grant: string;
  readonly grantYes: string;
  readonly weak: RegExp;
  readonly differ: RegExp;
  readonly wrong: RegExp;
  readonly wait: RegExp;
  readonly notAllowed: RegExp;
  readonly cut: RegExp;
  readonly close: RegExp;
};

export const words = {
  'en': {
    signIn: 'Sign in',
    signInBy: (provider) => `Sign in with ${provider}`,
    account: 'Account',
    username: 'User name',
    password: 'Password',
    choosePassword: 'Choose a new password',
    oldPassword: 'Current password',
    newPassword: 'New password',
    newPasswordAgain: 'New password again',
    setPassword: 'Set it and sign in',
    signedIn: 'Signed in',
    signedInAs: (username) => `You are signed in as ${username}.`,
    signOut: 'Sign out',
    back: 'Back to signing in',
    grant: 'Let rfo sign in?',
    grantYes: 'Let it sign in',
    weak: /^The new password cannot be taken\./,
    differ: /^The new password and its repetition differ\./,
    wrong: /^The user name or the password is not right\./,
    wait: /^Too many attempts to sign in have failed\. Try again in (1 minute|\d+ seconds)\./,
    notAllowed: /^corp knows you as eve, who is not among those who may sign in here\./,
    cut: /^The address or the form was not complete\./,
    close: /^You are signed in\. This window can be closed\.$/,
  },
  'zh-CN': {
    signIn: '登录',
    signInBy: (provider) => `用 ${provider} 登录`,
    account: '账号来源',
    username: '用户名',
    password: '密码',
    choosePassword: '设置新密码',
    oldPassword: '当前密码',
    newPassword: '新密码',
    newPasswordAgain: '再次输入新密码',
    setPassword: '设置并登录',
    signedIn: '已登录',
    signedInAs: (username) => `你已登录为 ${username}。`,
    signOut: '退出登录',
    back: '返回登录',
    grant: '允许 rfo 登录吗？',
    grantYes: '允许登录',
    weak: /^新密码不符合要求。/,
    differ: /^两次输入的新密码不一致。/,
    wrong: /^用户名或密码不正确。/,
    wait: /^登录失败次数过多。请等待 (1分钟|\d+秒钟)后重试。/,
    notAllowed: /^corp 确认你是 eve，但这个用户不在允许登录的名单中。/,
    cut: /^地址或表单不完整。/,
    close: /^已登录，可以关闭此窗口。$/,
  },
} as const satisfies Record<string, Words>;
export type Locale = keyof typeof words;
