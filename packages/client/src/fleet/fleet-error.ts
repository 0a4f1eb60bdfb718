/**
 * - `unreachable`: no balancer has answered for `giveUpAfterMs`
 * - `noServers`: none is ready, and it stayed so for `giveUpAfterMs`; `noMatch`: none matches the filter
 * - `queueFull`: too many players wait already
 * - `limited`: too many requests come from this network, and it stayed so; or this player was given too many seats lately
 * - `denied`: the balancer wants another token; `badRequest`: it does not understand this request
 */
export type FleetErrorCode =
  | "unreachable"
  | "noServers"
  | "noMatch"
  | "queueFull"
  | "limited"
  | "denied"
  | "badRequest";

/** Why there is no server to play on. */
export class FleetError extends Error {
  override readonly name: string = "FleetError";
  readonly code: FleetErrorCode;

  constructor(code: FleetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
