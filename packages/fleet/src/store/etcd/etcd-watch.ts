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
import type { StoreEntry, StoreEvent } from "../state-store.ts";
import { endOfPrefix, rangeMethod, txnMethod, watchMethod } from "./etcd-api.ts";
import type { KeyValue, RangeResponse, WatchResponse } from "./etcd-api.ts";
import { EtcdError } from "./etcd-error.ts";
import { PAGE_ENTRIES } from "./etcd-members.ts";
import type { EtcdMembers } from "./etcd-members.ts";
import { WatchView } from "./watch-view.ts";

export interface EtcdWatchOptions {
  /** Before every key. */
  readonly root: string;
  readonly prefix: string;
  /** The key that tells one store from another. */
  readonly identityKey: Buffer;
  readonly listener: (event: StoreEvent) => void;
  /** Hears why etcd refuses the watch. */
  readonly refused: (message: string) => void;
}

export class EtcdWatch {
  readonly #members: EtcdMembers;
  readonly #options: EtcdWatchOptions;
  readonly #key: Buffer;
  readonly #end: Buffer;
  readonly #view = new WatchView();
  #stopped = false;
  #cancel: () => void = () => undefined;

  constructor(members: EtcdMembers, options: EtcdWatchOptions) {
    this.#members = members;
    this.#options = options;
    this.#key = Buffer.from(options.root + options.prefix);
    this.#end = endOfPrefix(this.#key);
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #run(): Promise<void> {
    for (let tries = 0; !this.#stopped; tries++) {
      try {
        const revision = await this.#read();
        await this.#follow(revision + 1, () => {
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

  /** All that there is, told as a difference. Returns its revision. */
  async #read(): Promise<number> {
    const { identityKey, root } = this.#options;
    const range = { key: this.#key, rangeEnd: this.#end, limit: PAGE_ENTRIES };
    const success = [{ requestRange: { key: identityKey } }, { requestRange: range }];
    const first = await this.#members.ask(txnMethod, { compare: [], success, failure: [] }, this.#members.attemptMs);
    const [identity, page] = first.responses.map(({ responseRange }) => responseRange as RangeResponse);
    const revision = Number(first.header.revision);
    const kvs = [...page.kvs];
    for (let more = page.more; more;) {
      const key = Buffer.concat([kvs[kvs.length - 1].key, Buffer.alloc(1)]);
      const next = await this.#members.ask(rangeMethod, { ...range, key, revision }, this.#members.attemptMs);
      kvs.push(...next.kvs);
      more = next.more;
    }
    const entries = kvs.map((kv) => entryOf(kv, root));
    this.#tell(this.#view.replace(entries, revision, identity.kvs[0]?.value.toString()));
    return revision;
  }

  /** Follows changes until it ends, which it always does by rejecting. */
  async #follow(startRevision: number, began: () => void): Promise<never> {
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
      this.#cancel = () => end(new EtcdError(status.OK, "stopped"));
      call.on("data", (response: WatchResponse) => {
        if (response.canceled) end(new EtcdError(status.OUT_OF_RANGE, response.cancelReason));
        else if (response.created) {
          stopTimer();
          began();
        } else this.#take(response);
      });
      call.on("error", (error: ServiceError) => end(EtcdError.of(error)));
      call.on("end", () => end(new EtcdError(status.UNAVAILABLE, "the watch has ended")));
      call.write({ createRequest: { key: this.#key, rangeEnd: this.#end, startRevision, fragment: true } });
    });
  }

  #take({ events }: WatchResponse): void {
    const { root } = this.#options;
    for (const { type, kv } of events) {
      const entry = entryOf(kv, root);
      const event = this.#view.apply(
        type === "PUT" ? { put: entry } : { deleted: entry.key, revision: entry.revision },
      );
      if (event !== undefined) this.#tell([event]);
    }
  }

  #tell(events: readonly StoreEvent[]): void {
    for (const event of events) if (!this.#stopped) callListener(this.#options.listener, event);
  }
}

export function entryOf(kv: KeyValue, root: string): StoreEntry {
  return { key: kv.key.toString().slice(root.length), value: kv.value.toString(), revision: Number(kv.modRevision) };
}
