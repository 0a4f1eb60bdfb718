/** What etcd or the way to it answered instead of what was asked. */

import { status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { StoreError } from "../state-store.ts";

const TRANSIENT: ReadonlySet<status> = new Set([
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.RESOURCE_EXHAUSTED,
]);

export class EtcdError extends Error {
  readonly code: status;

  constructor(code: status, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EtcdError";
    this.code = code;
  }

  static of(error: ServiceError): EtcdError {
    return new EtcdError(error.code, error.details, { cause: error });
  }

  /** Another member, or the same one a little later, may do it; and this one may have done it, or do it yet. */
  get transient(): boolean {
    return TRANSIENT.has(this.code) && !this.message.includes("database space exceeded");
  }

  get leaseIsGone(): boolean {
    return this.code === status.NOT_FOUND && this.message.includes("lease");
  }

  /** The token was not accepted, or there was none: another may be. */
  get tokenIsStale(): boolean {
    return (
      this.code === status.UNAUTHENTICATED ||
      (this.code === status.INVALID_ARGUMENT && /user name is empty|auth store is old/.test(this.message))
    );
  }
}

/** As callers of a store see it. */
export function storeErrorOf(error: unknown): Error {
  if (!(error instanceof EtcdError)) return error as Error;
  return new StoreError(error.transient ? "timeout" : "refused", `etcd: ${error.message}`, { cause: error });
}
