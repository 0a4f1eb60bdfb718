/** CONNECTION_CLOSE: what it says, translated from and to `NetworkError`, and how it is written. */

import type { ByteWriter } from "@riposte/wire";
import { NetworkError } from "../network-error.ts";
import type { NetworkErrorCode } from "../network-error.ts";
import {
  CLOSE_DISPLACED,
  CLOSE_INTERNAL_ERROR,
  CLOSE_KICKED,
  CLOSE_NO_ERROR,
  CLOSE_PROTOCOL_VIOLATION,
  CLOSE_SCHEMA_MISMATCH,
  CLOSE_SERVER_FULL,
  CLOSE_VERSION_MISMATCH,
  FRAME_CONNECTION_CLOSE,
  FRAME_CONNECTION_CLOSE_APPLICATION,
  MAX_REASON_BYTES,
} from "./frames.ts";

/** The code of a CONNECTION_CLOSE 0x1c for an error. */
export function closeCodeOf(code: NetworkErrorCode): number {
  switch (code) {
    case "versionMismatch":
      return CLOSE_VERSION_MISMATCH;
    case "schemaMismatch":
      return CLOSE_SCHEMA_MISMATCH;
    case "displaced":
      return CLOSE_DISPLACED;
    case "kicked":
      return CLOSE_KICKED;
    case "serverFull":
      return CLOSE_SERVER_FULL;
    case "protocolViolation":
      return CLOSE_PROTOCOL_VIOLATION;
    case "internalError":
      return CLOSE_INTERNAL_ERROR;
    case "aborted":
    case "carrierFailed":
    case "closedByPeer":
    case "denied":
    case "invalidToken":
    case "timedOut":
    case "tokenExpired":
      return CLOSE_NO_ERROR;
  }
}

/** What a received CONNECTION_CLOSE means to the application. */
export function errorOfClose(application: boolean, code: number, reason: string): NetworkError {
  if (application) {
    const message = reason === "" ? `the peer closed the connection with code ${code}` : reason;
    return new NetworkError("closedByPeer", message, { closeCode: code });
  }
  const why = reason === "" ? "" : `: ${reason}`;
  switch (code) {
    case CLOSE_NO_ERROR:
      return new NetworkError("closedByPeer", `the peer closed the connection${why}`, { closeCode: 0 });
    case CLOSE_VERSION_MISMATCH:
      return new NetworkError("versionMismatch", `the peer speaks another version of the protocol${why}`);
    case CLOSE_SCHEMA_MISMATCH:
      return new NetworkError("schemaMismatch", `the peer was built from another game schema${why}`);
    case CLOSE_DISPLACED:
      return new NetworkError("displaced", `a newer connection took this client's place${why}`);
    case CLOSE_KICKED:
      return new NetworkError("kicked", `the server removed this client${why}`);
    case CLOSE_SERVER_FULL:
      return new NetworkError("serverFull", `the server is full${why}`);
    case CLOSE_INTERNAL_ERROR:
      return new NetworkError("internalError", `the peer failed${why}`);
    default:
      return new NetworkError(
        "protocolViolation",
        `the peer reports a protocol violation 0x${code.toString(16)}${why}`,
      );
  }
}

/** Writes a CONNECTION_CLOSE. The reason is cut to 128 bytes of ASCII. */
export function writeClose(writer: ByteWriter, application: boolean, code: number, reason: string): void {
  writer.u8(application ? FRAME_CONNECTION_CLOSE_APPLICATION : FRAME_CONNECTION_CLOSE);
  writer.varint(code);
  if (!application) writer.varint(0); // the frame type to blame: not told
  const length = Math.min(reason.length, MAX_REASON_BYTES);
  writer.varint(length);
  for (let i = 0; i < length; i++) writer.u8(printable(reason.charCodeAt(i)));
}

/** The reason of a CONNECTION_CLOSE as harmless text. */
export function readReason(buffer: Uint8Array, offset: number, length: number): string {
  let reason = "";
  for (let i = 0; i < Math.min(length, MAX_REASON_BYTES); i++) {
    reason += String.fromCharCode(printable(buffer[offset + i]));
  }
  return reason;
}

/** A question mark for what is not printable ASCII. */
function printable(code: number): number {
  return code >= 0x20 && code < 0x7f ? code : 0x3f;
}
