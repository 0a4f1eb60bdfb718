/** What the network thread must know at once of WebSockets, which the game thread holds: which one a path stands for, and whether it takes more. */
const SERIAL = 0;
const WRITABLE = 1;
const WORDS = 2;

export function socketMemory(sockets: number): SharedArrayBuffer {
  return new SharedArrayBuffer(sockets * WORDS * 4);
}

export class SocketFlags {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  set(index: number, serial: number, writable: boolean): void {
    Atomics.store(this.#words, index * WORDS + SERIAL, serial);
    Atomics.store(this.#words, index * WORDS + WRITABLE, writable ? 1 : 0);
  }

  serial(index: number): number {
    return Atomics.load(this.#words, index * WORDS + SERIAL);
  }

  writable(index: number): boolean {
    return Atomics.load(this.#words, index * WORDS + WRITABLE) === 1;
  }
}
