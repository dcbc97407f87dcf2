/** What happened to a certificate when it was looked after. */
import type { CertificateInfo } from '@rfo/pki';
import type { CertificateState } from './plan.ts';
import type { Use } from './table.ts';

/** `renewed`: only its dates; `regenerated`: something else in it. */
export type Action = 'kept' | 'created' | 'renewed' | 'regenerated';

export type Outcome = {
  readonly action: Action;
  readonly reason: string;
  readonly current: CertificateInfo;
  /** What lay there before. */
  readonly previous?: CertificateInfo;
};

/** `usedBy` is what is to be done for each user of it when `action` is not `kept`. */
export type EnsuredCertificate = CertificateState & { readonly action: Action; readonly reason: string; readonly usedBy: readonly Use[] };

export type EnsuredKey = {
  readonly name: 'service';
  readonly action: 'kept' | 'created';
  readonly reason: string;
  readonly usedBy: readonly Use[];
};

export type Ensured = {
  readonly certificates: readonly EnsuredCertificate[];
  readonly serviceKey: EnsuredKey;
};
