/** A player's way to a server of a fleet: by its balancers. */

export { FleetClient } from "./fleet-client.ts";
export type { FleetClientOptions, Place, PlaceInQueue, PlayerSeat, ServerRequest } from "./fleet-client.ts";
export { FleetError } from "./fleet-error.ts";
export type { FleetErrorCode } from "./fleet-error.ts";
