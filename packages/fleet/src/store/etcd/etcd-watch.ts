/**
 * One watch over whatever becomes of etcd: it reads all that there is, then follows changes from there; when that ends, by
 * an error, a member that is silent, or a compaction, it reads all again and tells the difference.
 *
 * It never goes on from the last revision it has seen: a cluster that came back empty or from a backup has other
 * changes under the same numbers, and says nothing of it.
 */

import { status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { callListener } from "../call-listener.ts";
import type { StoreEvent } from "../state-store.ts";
import { endOfPrefix, watchMethod } from "./etcd-api.ts";
import type { WatchResponse } from "./etcd-api.ts";
import { EtcdError } from "./etcd-error.ts";
import type { EtcdMembers } from "./etcd-members.ts";
import type { EtcdReader, StoreLife, StorePlace } from "./etcd-reader.ts";
import { WatchView } from "./watch-view.ts";

export interface EtcdWatchOptions extends StorePlace {
  readonly prefix: string;
  readonly listener: (event: StoreEvent) => void;
  /** Hears why etcd refuses the watch. */
  readonly refused: (message: string) => void;
}

export class EtcdWatch {
  readonly #members: EtcdMembers;
  readonly #reader: EtcdReader;
  readonly #options: EtcdWatchOptions;
  readonly #key: Buffer;
  readonly #end: Buffer;
  readonly #view = new WatchView();
  #stopped = false;
  #endFollowing: (error: EtcdError) => void = () => undefined;

  constructor(members: EtcdMembers, reader: EtcdReader, options: EtcdWatchOptions) {
    this.#members = members;
    this.#reader = reader;
    this.#options = options;
    this.#key = Buffer.from(options.root + options.prefix);
    this.#end = endOfPrefix(this.#key);
    void this.#run();
  }

  /** What is followed is not the store that was read. */
  readAgain(): void {
    this.#endFollowing(new EtcdError(status.ABORTED, "the store is another"));
  }

  stop(): void {
    this.#stopped = true;
    this.#endFollowing(new EtcdError(status.OK, "stopped"));
  }

  async #run(): Promise<void> {
    for (let tries = 0; !this.#stopped; tries++) {
      try {
        const { life, etcdRevision, entries } = await this.#reader.all(this.#options.prefix, this.#members.attemptMs);
        this.#tell(this.#view.replace(entries, life.firstRevision + etcdRevision, life.identity));
        await this.#follow(life, etcdRevision + 1, () => {
          tries = -1;
        });
      } catch (error) {
        // While it can't be reached, `status` says so.
        if (!(error instanceof EtcdError)) break;
        if (error.code === status.PERMISSION_DENIED || error.code === status.INVALID_ARGUMENT)
          this.#options.refused(`etcd refuses to let "${this.#key.toString()}" be watched: ${error.message}`);
      }
      if (!this.#stopped) await this.#members.pause(tries);
    }
  }

  /** Follows changes until it ends, which it always does by rejecting. */
  async #follow(life: StoreLife, startRevision: number, began: () => void): Promise<never> {
    const { call, member } = await this.#members.open(watchMethod, this.#members.attemptMs);
    return new Promise<never>((_, reject) => {
      let ended = false;
      const end = (error: EtcdError): void => {
        if (ended) return;
        ended = true;
        stopTimer();
        if (error.transient) this.#members.failed(member);
        reject(error);
        call.cancel();
      };
      const stopTimer = this.#members.clock.after(this.#members.attemptMs, () =>
        end(new EtcdError(status.DEADLINE_EXCEEDED, `${member.address} has not begun to watch`)),
      );
      this.#endFollowing = end;
      call.on("data", (response: WatchResponse) => {
        if (response.canceled) end(new EtcdError(status.OUT_OF_RANGE, response.cancelReason));
        else if (!response.created) this.#take(response, life);
        // A cluster that was made anew would be silent until it has come so far. So would a member that is behind.
        else if (Number(response.header.revision) < startRevision - 1)
          end(new EtcdError(status.UNAVAILABLE, `${member.address} is behind`));
        else {
          stopTimer();
          began();
        }
      });
      call.on("error", (error: ServiceError) => end(EtcdError.of(error)));
      call.on("end", () => end(new EtcdError(status.UNAVAILABLE, "the watch has ended")));
      call.write({ createRequest: { key: this.#key, rangeEnd: this.#end, startRevision, fragment: true } });
    });
  }

  #take({ events }: WatchResponse, life: StoreLife): void {
    for (const { type, kv } of events) {
      const put = this.#reader.entryOf(kv, life);
      const event = this.#view.apply(type === "PUT" ? { put } : { deleted: put.key, revision: put.revision });
      if (event !== undefined) this.#tell([event]);
    }
  }

  #tell(events: readonly StoreEvent[]): void {
    for (const event of events) if (!this.#stopped) callListener(this.#options.listener, event);
  }
}
