/** Why a certificate cannot be verified: the numbers and texts of Go's crypto/x509, which cfssl hands on to its clients. */
import { CfsslError } from '../cfssl-error.ts';

/** Go's InvalidReason: what is added to 1210. */
const reasons = { notAuthorizedToSign: 0, expired: 1, tooManyIntermediates: 3, incompatibleUsage: 4 } as const;

export class VerifyProblem extends CfsslError {
  /** More certificates might help. */
  readonly unknownAuthority: boolean;
  constructor(code: number, message: string, unknownAuthority = false) {
    super(code, message);
    this.unknownAuthority = unknownAuthority;
  }
}

export const unverifiable = (message: string): VerifyProblem => new VerifyProblem(1200, message);
export const unknownAuthority = (hint = ''): VerifyProblem =>
  new VerifyProblem(1220, `x509: certificate signed by unknown authority${hint}`, true);
export const invalid = {
  notAuthorizedToSign: () => invalidFor('notAuthorizedToSign', 'x509: certificate is not authorized to sign other certificates'),
  expired: (detail: string) => invalidFor('expired', `x509: certificate has expired or is not yet valid: ${detail}`),
  tooManyIntermediates: () => invalidFor('tooManyIntermediates', 'x509: too many intermediates for path length constraint'),
  incompatibleUsage: () => invalidFor('incompatibleUsage', 'x509: certificate specifies an incompatible key usage'),
};

function invalidFor(reason: keyof typeof reasons, message: string): VerifyProblem {
  return new VerifyProblem(1210 + reasons[reason], message);
}
