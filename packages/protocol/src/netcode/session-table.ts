import type { ServerSession } from "./server-session.ts";
import type { SharedAdmission } from "./shared-admission.ts";

/** Low bits of a session's id: its index. */
const INDEX_BITS = 12;
const INDEX_MASK = 2 ** INDEX_BITS - 1;

/** A server's sessions, found by whatever a packet or the layer above names them by. */
export class SessionTable {
  readonly capacity: number;
  readonly #shared: SharedAdmission | undefined;
  readonly #sessions: (ServerSession | undefined)[];
  readonly #freeIndexes: number[] = [];
  readonly #byPath: Map<number, ServerSession> = new Map();
  readonly #byClientId: Map<bigint, ServerSession> = new Map();
  /** By the handle of the key that its packets are opened with. */
  readonly #byKey: (ServerSession | undefined)[] = [];

  /** `shared`: seats that count together with those of other tables. */
  constructor(capacity: number, shared?: SharedAdmission) {
    this.capacity = capacity;
    this.#shared = shared;
    this.#sessions = Array.from({ length: capacity }, () => undefined);
    for (let i = capacity - 1; i >= 0; i--) this.#freeIndexes.push(i);
  }

  /** Sessions, those without a path included. */
  get size(): number {
    return this.#byClientId.size;
  }

  get isFull(): boolean {
    return this.#freeIndexes.length === 0 || this.#shared?.isFull === true;
  }

  at(index: number): ServerSession | undefined {
    return this.#sessions[index];
  }

  byPath(path: number): ServerSession | undefined {
    return this.#byPath.get(path);
  }

  byClientId(clientId: bigint): ServerSession | undefined {
    return this.#byClientId.get(clientId);
  }

  byKey(receiveKey: number): ServerSession | undefined {
    return this.#byKey[receiveKey];
  }

  /** By the id that `named` gave. */
  byId(id: number): ServerSession | undefined {
    const session = this.#sessions[id & INDEX_MASK];
    return session?.id === id ? session : undefined;
  }

  values(): Iterable<ServerSession> {
    return this.#byClientId.values();
  }

  /** An index nobody uses, or -1. */
  takeIndex(): number {
    if (this.#freeIndexes.length === 0 || this.#shared?.takeSeat() === false) return -1;
    return this.#freeIndexes.pop() ?? -1;
  }

  add(session: ServerSession): void {
    this.#sessions[session.index] = session;
    this.#byPath.set(session.path, session);
    this.#byClientId.set(session.clientId, session);
    for (const key of session.keys.receiving) this.#byKey[key] = session;
  }

  remove(session: ServerSession): void {
    this.#sessions[session.index] = undefined;
    if (session.path >= 0) this.#byPath.delete(session.path);
    this.#byClientId.delete(session.clientId);
    for (const key of session.keys.receiving) this.#byKey[key] = undefined;
    this.#freeIndexes.push(session.index);
    this.#shared?.releaseSeat();
  }

  /** Gives a session the id by which its packets are known on any path: its index, and 20 bits of `salt`. Never 0. */
  name(session: ServerSession, salt: number): number {
    const id = ((salt << INDEX_BITS) | session.index) >>> 0;
    session.id = id === 0 ? 2 ** INDEX_BITS : id;
    return session.id;
  }

  /** The session is reached by `path` from now on, -1: by none. False when another session is there. */
  move(session: ServerSession, path: number): boolean {
    if (path >= 0 && this.#byPath.has(path)) return false;
    if (session.path >= 0) this.#byPath.delete(session.path);
    session.path = path;
    if (path >= 0) this.#byPath.set(path, session);
    return true;
  }
}
