/** One gate of the repository. `detail` is a few words for the one line of a pass; `findings` are what a person must repair. */
export type CheckResult = { readonly detail?: string; readonly findings: readonly string[] };
export type Check = { readonly name: string; readonly run: (files: readonly string[], signal: AbortSignal) => Promise<CheckResult> };
