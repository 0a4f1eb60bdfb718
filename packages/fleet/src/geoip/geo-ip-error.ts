/** Why a database was not taken. */

/**
 * - `unreadable`: the file or the server does not give it
 * - `tooLarge`, `timeout`: it is larger, or comes slower, than is allowed
 * - `hash`: its SHA-256 is another than expected
 * - `format`: it is not an MMDB file, or damaged
 * - `otherType`, `older`: of another type or IP version, or built before the one in use
 * - `checks`: too few known addresses are where they should be, or too many are unknown or have moved
 * - `busy`: an update is running; `closed`
 */
export type GeoIpErrorCode =
  | "unreadable"
  | "tooLarge"
  | "timeout"
  | "hash"
  | "format"
  | "otherType"
  | "older"
  | "checks"
  | "busy"
  | "closed";

export class GeoIpError extends Error {
  readonly code: GeoIpErrorCode;

  constructor(code: GeoIpErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "GeoIpError";
    this.code = code;
  }
}
