/** Up to here copying by words is faster than a call. */
const MAX_WORDS_BYTES = 96;

interface BufferCopy {
  call(source: Uint8Array, target: Uint8Array, at: number, from: number, to: number): void;
}
/** Node copies a part of one array into another without a view of it; browsers cannot. */
const copyInNode = (globalThis as { Buffer?: { prototype: { copy: BufferCopy } } }).Buffer?.prototype.copy;

/**
 * Copies runs of bytes between buffers without allocating (in browsers only short ones). Short runs go eight bytes at a
 * time, through views of the two buffers that were used last, which it keeps: one copier for each place that copies, so
 * that the buffers stay the same.
 */
export class ByteCopier {
  #source: Uint8Array = EMPTY;
  #sourceView: DataView = new DataView(EMPTY.buffer);
  #target: Uint8Array = EMPTY;
  #targetView: DataView = new DataView(EMPTY.buffer);

  /** Copies `source[from, from + length)` to `target[at, ...)`. Both runs have to lie within their buffers; they must not overlap. */
  copy(source: Uint8Array, from: number, length: number, target: Uint8Array, at: number): void {
    if (length > MAX_WORDS_BYTES) {
      copyBytes(source, from, length, target, at);
      return;
    }
    let done = 0;
    if (length >= 8) {
      if (source !== this.#source) {
        this.#source = source;
        this.#sourceView = viewOf(source);
      }
      if (target !== this.#target) {
        this.#target = target;
        this.#targetView = viewOf(target);
      }
      const sourceView = this.#sourceView;
      const targetView = this.#targetView;
      for (; done <= length - 8; done += 8) {
        targetView.setBigUint64(at + done, sourceView.getBigUint64(from + done, true), true);
      }
    }
    for (; done < length; done++) target[at + done] = source[from + done]!;
  }

  /** Holds on to no buffer any more. */
  forget(): void {
    this.#source = EMPTY;
    this.#sourceView = viewOf(EMPTY);
    this.#target = EMPTY;
    this.#targetView = viewOf(EMPTY);
  }
}

/** Copies `source[from, from + length)` to `target[at, ...)`, in Node without allocating. `RangeError` where one of the runs leaves its buffer. */
export function copyBytes(source: Uint8Array, from: number, length: number, target: Uint8Array, at: number): void {
  const to = from + length;
  // Node's copies what there is room for.
  if (to > source.length || at + length > target.length) {
    throw new RangeError(`${length} bytes from ${from} of ${source.length} do not fit at ${at} of ${target.length}`);
  }
  if (copyInNode !== undefined) copyInNode.call(source, target, at, from, to);
  else target.set(source.subarray(from, to), at);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const EMPTY: Uint8Array = new Uint8Array(0);
