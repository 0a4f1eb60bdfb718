/**
 * Writes receipts of verdicts to a file, each behind its length: `receiptsIn` reads them. The game's thread only copies the
 * bytes; writing is done by Node's own threads. What they do not keep up with is dropped and counted.
 */
import { createWriteStream } from "node:fs";
import type { WriteStream } from "node:fs";
import type { ReceiptSink } from "@riposte/simulation/rewind";

export interface ReceiptFileOptions {
  /** Bytes that may wait to be written. Default 1 MiB. */
  readonly maxQueueBytes?: number;
  /** Most bytes that are written to the file, in addition to what is in it. Default 256 MiB. */
  readonly maxFileBytes?: number;
}

export class ReceiptFile implements ReceiptSink, AsyncDisposable {
  /** Receipts that were taken, and their bytes; and those that were dropped. */
  written = 0;
  writtenBytes = 0;
  dropped = 0;
  /** Why nothing is written any more. */
  error: Error | undefined;
  readonly #stream: WriteStream;
  readonly #maxQueueBytes: number;
  readonly #maxFileBytes: number;
  #isClosed = false;

  /** Appends to the file at `path`. What goes wrong with it is in `error`. Throws `RangeError` for limits that cannot be. */
  constructor(path: string, options: ReceiptFileOptions = {}) {
    const { maxQueueBytes = 2 ** 20, maxFileBytes = 2 ** 28 } = options;
    for (const [name, value] of Object.entries({ maxQueueBytes, maxFileBytes }))
      if (!(value > 0)) throw new RangeError(`${name} must be above 0, got ${value}`);
    this.#maxQueueBytes = maxQueueBytes;
    this.#maxFileBytes = maxFileBytes;
    this.#stream = createWriteStream(path, { flags: "a" });
    this.#stream.on("error", (error) => (this.error ??= error));
  }

  write(receipt: Uint8Array): boolean {
    const bytes = receipt.length + LENGTH_BYTES;
    const isFull =
      this.#stream.writableLength + bytes > this.#maxQueueBytes || this.writtenBytes + bytes > this.#maxFileBytes;
    if (isFull || this.#isClosed || this.error !== undefined) {
      this.dropped++;
      return false;
    }
    const record = Buffer.allocUnsafe(bytes);
    record.writeUInt32LE(receipt.length);
    record.set(receipt, LENGTH_BYTES);
    this.#stream.write(record);
    this.written++;
    this.writtenBytes += bytes;
    return true;
  }

  /** Writes what waits, and closes the file. Rejects with `error` if there was one. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      await new Promise<void>((resolve) => {
        this.#stream.once("close", resolve);
        if (this.#stream.closed) resolve();
        this.#stream.end();
      });
    }
    if (this.error !== undefined) throw this.error;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const LENGTH_BYTES = 4;
