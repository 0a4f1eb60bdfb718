/** What calls of a connection must be given, wherever its machine runs. */
import type { Channel, ConnectionLimits, SendOptions } from "./connection-options.ts";
import { MAX_RELIABLE_BYTES, MAX_STREAMS, MAX_UNRELIABLE_BYTES } from "./frames.ts";

/** Throws `RangeError` for a run of bytes that is not in the buffer. */
export function checkRun(buffer: Uint8Array, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= buffer.length) return;
  throw new RangeError(`offset ${offset} and length ${length} are outside a buffer of ${buffer.length} bytes`);
}

/** Throws `RangeError` for what no queue of this channel ever takes. */
export function checkMessage(
  limits: ConnectionLimits,
  channel: Channel,
  length: number,
  options: SendOptions | undefined,
): void {
  const { reliableSendBytes, unreliableSendBytes } = limits;
  const reliable = channel === "reliableOrdered";
  const limit = reliable
    ? Math.min(MAX_RELIABLE_BYTES, reliableSendBytes)
    : Math.min(MAX_UNRELIABLE_BYTES, unreliableSendBytes);
  if (length > limit) throw new RangeError(`a message on ${channel} is at most ${limit} bytes, got ${length}`);
  if (options === undefined) return;
  const { stream, deadlineMs } = options;
  if (stream !== undefined && (!reliable || !Number.isInteger(stream) || stream < 0 || stream >= MAX_STREAMS)) {
    throw new RangeError(`stream must be 0 to ${MAX_STREAMS - 1}, on reliableOrdered only; got ${stream}`);
  }
  if (deadlineMs !== undefined && (reliable || !(deadlineMs > 0))) {
    throw new RangeError(`deadlineMs must be above 0, on unreliable channels only; got ${deadlineMs}`);
  }
}

/** Throws `RangeError` for what cannot be a payload of a plain netcode peer. */
export function checkRaw(limitBytes: number, length: number): void {
  if (length >= 1 && length <= limitBytes) return;
  throw new RangeError(`a raw payload is 1 to ${limitBytes} bytes, got ${length}`);
}

/** Throws `RangeError` for what is no application's close code. */
export function checkCloseCode(code: number): void {
  if (!(Number.isSafeInteger(code) && code >= 0)) throw new RangeError(`not a close code: ${code}`);
}
