export { ClientEndpoint } from "./client-endpoint.ts";
export type { ClientEndpointOptions } from "./client-endpoint.ts";
export type {
  Endpoint,
  EndpointConnectionOptions,
  EndpointDriver,
  EndpointEvent,
  EndpointExtensions,
} from "./endpoint.ts";
export { PathMoves } from "./path-moves.ts";
export { ServerEndpoint } from "./server-endpoint.ts";
export type { ServerEndpointOptions } from "./server-endpoint.ts";
