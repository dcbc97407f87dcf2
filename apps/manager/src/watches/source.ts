/** What a subscription shows, wherever it comes from. */
import type { RfoError } from '@rfo/foundation';

/** An object: `text` is its JSON, `version` changes whenever it does. */
export type Item = { readonly key: string; readonly version: string; readonly text: string };

export type Window = {
  readonly items: readonly Item[];
  readonly total: number;
  /** Cursor of the page behind. */
  readonly next: string | undefined;
};

export type Source = {
  /** The page as it is now; undefined while it is being found out what its reader may see. */
  readonly page: () => Window | undefined;
  /** Why it is not followed at present. */
  readonly problem: () => RfoError | undefined;
  readonly close: () => void;
};

export type Listener = {
  /** `page` or `problem` may give something else than before. */
  readonly changed: () => void;
  /** It gives nothing any more. */
  readonly failed: (error: unknown) => void;
};
