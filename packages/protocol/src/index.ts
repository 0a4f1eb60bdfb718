export * from "./machine.ts";
export { Random } from "./random.ts";
export { NetworkError } from "./network-error.ts";
export type { NetworkErrorCode, NetworkErrorOptions } from "./network-error.ts";
