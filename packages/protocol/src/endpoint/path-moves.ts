/** The moves to another path that a client's driver has asked its endpoint for, and that somebody waits for. */
import { NetworkError } from "../network-error.ts";

export class PathMoves {
  readonly #moves = new Map<number, PromiseWithResolvers<void>>();

  /**
   * Resolves when the connection goes on by `path`. Rejects with `NetworkError` "timedOut" when the path did not answer,
   * and with why the connection ended when it did before.
   */
  begin(path: number): Promise<void> {
    const move = Promise.withResolvers<void>();
    this.#moves.set(path, move);
    return move.promise;
  }

  /** For the endpoint's "migrated". */
  onMigrated(path: number): void {
    this.#moves.get(path)?.resolve();
    this.#moves.delete(path);
  }

  /** For the endpoint's "migrationFailed". */
  onFailed(path: number): void {
    this.#moves.get(path)?.reject(new NetworkError("timedOut", "the server did not answer on the new path"));
    this.#moves.delete(path);
  }

  onEnded(error: NetworkError | undefined): void {
    for (const { reject } of this.#moves.values()) reject(error ?? new NetworkError("aborted", "the connection ended"));
    this.#moves.clear();
  }
}
