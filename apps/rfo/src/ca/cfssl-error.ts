/**
 * What a request of the CFSSL API is refused for, exactly as a client of it expects: `{"code":…,"message":…}` under an HTTP status.
 * Clients read all three, so texts and numbers are those of cfssl's own table and not of ours.
 */
export class CfsslError extends Error {
  override readonly name = 'CfsslError';
  readonly code: number;
  readonly status: number;

  /**
   * @param code cfssl's number: four or five digits, or the HTTP status for what is wrong with the request itself, or 0
   * @param status HTTP; 400 for all that has a number of its own
   */
  constructor(code: number, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
