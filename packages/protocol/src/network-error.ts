/** How a session ended, or why it never began: one error class with a closed union of codes. */

/**
 * - `timedOut`: nothing came from the peer for the token's timeout, or the handshake never finished
 * - `denied`: the server refused admission without saying more
 * - `invalidToken`: the connect token is malformed, forged or for another server
 * - `tokenExpired`: the connect token was too old when it was used
 * - `versionMismatch`: the peer speaks another version of Riposte's protocol, or none
 * - `schemaMismatch`: the peer was built from another game schema
 * - `displaced`: a newer connection of the same client took the seat
 * - `closedByPeer`: the peer closed in good order; `closeCode` and the message say why
 * - `serverFull`: every seat is taken
 * - `protocolViolation`: the peer broke the protocol
 * - `aborted`: the caller's `AbortSignal` fired
 * - `carrierFailed`: the socket below failed; see `cause`
 * - `kicked`: the server removed this client
 * - `internalError`: the peer failed
 */
export type NetworkErrorCode =
  | "timedOut"
  | "denied"
  | "invalidToken"
  | "tokenExpired"
  | "versionMismatch"
  | "schemaMismatch"
  | "displaced"
  | "closedByPeer"
  | "serverFull"
  | "protocolViolation"
  | "aborted"
  | "carrierFailed"
  | "kicked"
  | "internalError";

export interface NetworkErrorOptions {
  /** What was thrown below, if anything. */
  readonly cause?: unknown;
  /** The number the peer's application gave to `close`. */
  readonly closeCode?: number;
}

export class NetworkError extends Error {
  readonly code: NetworkErrorCode;
  /** The number the peer's application gave to `close`; only with code `closedByPeer`. */
  readonly closeCode: number | undefined;

  constructor(code: NetworkErrorCode, message: string, options?: NetworkErrorOptions) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "NetworkError";
    this.code = code;
    this.closeCode = options?.closeCode;
  }
}
