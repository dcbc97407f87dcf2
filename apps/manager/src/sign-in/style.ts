/** How the pages for signing in look, light and dark. Lines and letters keep the contrasts of WCAG 2.2 (3 to 1 and 4.5 to 1). */
import { hash } from 'node:crypto';

export const style = `
:root { color-scheme: light dark; --ground: #fff; --text: #1b1c1e; --line: #6f7680; --accent: #0b57d0; --on: #fff; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ground: #131416; --text: #e6e7ea; --line: #8f959e; --accent: #8ab4f8; --on: #062e6f; --bad: #f2b8b5 } }
* { box-sizing: border-box }
body { background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 16px; overflow-wrap: anywhere }
main { width: 100%; max-width: 380px }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 24px }
p { margin: 0 0 24px }
form, nav { display: grid; gap: 12px; margin: 0 0 24px }
.field { display: grid; gap: 4px }
label { font-size: 14px }
input, select, button, a.button { font: inherit; font-size: 16px; width: 100%; padding: 10px 12px; border: 1px solid var(--line); border-radius: 8px }
input, select { background: var(--ground); color: inherit }
input[readonly] { border-style: dashed }
input[aria-invalid] { border-color: var(--bad) }
button { background: var(--accent); border-color: transparent; color: var(--on); cursor: pointer }
button.plain, a.button { background: transparent; border-color: var(--line); color: inherit; text-align: center; text-decoration: none; display: block }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.problem { border: 1px solid var(--bad); border-left-width: 4px; border-radius: 8px; padding: 10px 12px }
.notice { border: 1px solid var(--line); border-left-width: 4px; border-radius: 8px; padding: 10px 12px }
.detail { display: block; font-size: 13px; margin-top: 8px }
.hint { font-size: 14px; margin: 0 }
.or { display: flex; align-items: center; gap: 12px; font-size: 14px }
.or::before, .or::after { content: ''; flex: 1; border-top: 1px solid var(--line) }
code { font-size: 0.9em }
`;

/** As the policy of the pages names it. */
export const styleHash = `sha256-${hash('sha256', style, 'base64')}`;
