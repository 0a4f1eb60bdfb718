/** etcd's calls and messages as far as they are used here; `proto/etcd.proto` says how they are written. */

import { fileURLToPath } from "node:url";
import { loadSync } from "@grpc/proto-loader";
import type { MethodDefinition, ServiceDefinition } from "@grpc/proto-loader";

/** A 64-bit number in decimal: IDs of leases use all 64. */
type Int64 = string;

interface ResponseHeader {
  readonly revision: Int64;
}

export interface KeyValue {
  readonly key: Buffer;
  readonly modRevision: Int64;
  readonly value: Buffer;
  readonly lease: Int64;
}

export interface RangeRequest {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
  readonly limit?: number;
  readonly revision?: number;
  readonly keysOnly?: boolean;
}

export interface RangeResponse {
  readonly header: ResponseHeader;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
}

export type RequestOp =
  | { readonly requestRange: RangeRequest }
  | { readonly requestPut: { readonly key: Buffer; readonly value: Buffer; readonly lease?: Int64 } }
  | { readonly requestDeleteRange: { readonly key: Buffer } };

interface ResponseOp {
  readonly responseRange?: RangeResponse;
}

export type Compare =
  | { readonly key: Buffer; readonly target: "VERSION"; readonly result: "GREATER"; readonly version: number }
  | { readonly key: Buffer; readonly target: "MOD"; readonly result: "EQUAL"; readonly modRevision: number };

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export interface TxnResponse {
  readonly header: ResponseHeader;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}

export interface WatchRequest {
  readonly createRequest: {
    readonly key: Buffer;
    readonly rangeEnd: Buffer;
    readonly startRevision: number;
    /** Responses of any size in pieces of about a request's. */
    readonly fragment: boolean;
  };
}

export interface WatchResponse {
  readonly header: ResponseHeader;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly cancelReason: string;
  readonly events: readonly { readonly type: "PUT" | "DELETE"; readonly kv: KeyValue }[];
}

/** `TTL` in seconds; 0 in an answer: there is no such lease any more. */
export interface Lease {
  readonly ID: Int64;
  readonly TTL: Int64;
}

export interface Method<Request, Response> {
  readonly path: string;
  readonly serialize: (request: Request) => Buffer;
  readonly deserialize: (bytes: Buffer) => Response;
}

const definitions = loadSync(fileURLToPath(new URL("../../../proto/etcd.proto", import.meta.url)), {
  longs: String,
  enums: String,
  defaults: true,
});

export const rangeMethod: Method<RangeRequest, RangeResponse> = methodOf("KV", "Range");
export const txnMethod: Method<TxnRequest, TxnResponse> = methodOf("KV", "Txn");
export const watchMethod: Method<WatchRequest, WatchResponse> = methodOf("Watch", "Watch");
export const leaseGrantMethod: Method<{ readonly TTL: number }, Lease> = methodOf("Lease", "LeaseGrant");
export const leaseRevokeMethod: Method<{ readonly ID: Int64 }, unknown> = methodOf("Lease", "LeaseRevoke");
export const leaseKeepAliveMethod: Method<{ readonly ID: Int64 }, Lease> = methodOf("Lease", "LeaseKeepAlive");
export const authenticateMethod: Method<
  { readonly name: string; readonly password: string },
  { readonly token: string }
> = methodOf("Auth", "Authenticate");

/** The end of the range of all keys with this prefix; its last byte is below 0xff. */
export function endOfPrefix(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1]++;
  return end;
}

function methodOf<Request, Response>(service: string, name: string): Method<Request, Response> {
  const definition = (definitions[`etcdserverpb.${service}`] as ServiceDefinition)[name];
  const { path, requestSerialize, responseDeserialize } = definition as unknown as MethodDefinition<Request, Response>;
  return { path, serialize: requestSerialize, deserialize: responseDeserialize };
}
