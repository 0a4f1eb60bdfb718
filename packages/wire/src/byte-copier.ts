/** Up to here copying by words is faster than `set`, which takes a view to be made. */
const MAX_WORDS_BYTES = 128;

/**
 * Copies runs of bytes between buffers without allocating, up to 128 bytes: eight at a time, through views of the two
 * buffers that were used last, which it keeps. One for each place that copies, so that the buffers stay the same.
 */
export class ByteCopier {
  #source: Uint8Array = EMPTY;
  #sourceView: DataView = new DataView(EMPTY.buffer);
  #target: Uint8Array = EMPTY;
  #targetView: DataView = new DataView(EMPTY.buffer);

  /** Copies `source[from, from + length)` to `target[at, ...)`. Both runs have to lie within their buffers; they must not overlap. */
  copy(source: Uint8Array, from: number, length: number, target: Uint8Array, at: number): void {
    if (length > MAX_WORDS_BYTES) {
      target.set(from === 0 && length === source.length ? source : source.subarray(from, from + length), at);
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
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const EMPTY: Uint8Array = new Uint8Array(0);
