export * from "./machine.ts";
export { Random } from "./random.ts";
export { NetworkError } from "./network-error.ts";
export type { NetworkErrorCode, NetworkErrorOptions } from "./network-error.ts";
export { Emitter } from "./emitter.ts";
export type { ListenerErrorHandler, Unsubscribe } from "./emitter.ts";
