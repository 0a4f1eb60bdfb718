/**
 * Linearizable reads, and whose revisions they give. A store in etcd has an identity, made once: where its own revisions
 * begin, and something that no other store has. etcd's numbers begin anew in a cluster that was made anew.
 */

import type { StoreEntry } from "../state-store.ts";
import { endOfPrefix, rangeMethod, txnMethod } from "./etcd-api.ts";
import type { KeyValue, RangeRequest, RangeResponse, TxnResponse } from "./etcd-api.ts";
import { PAGE_ENTRIES } from "./etcd-members.ts";
import type { EtcdMembers } from "./etcd-members.ts";

/** From when a store was made until it is lost. */
export interface StoreLife {
  readonly identity: string;
  /** Added to etcd's revisions. */
  readonly firstRevision: number;
}

/** Where a store's keys are. */
export interface StorePlace {
  /** Before every key. */
  readonly root: string;
  readonly identityKey: Buffer;
}

/** What a key holds, with its lease. */
export interface LeasedEntry extends StoreEntry {
  readonly lease: string;
}

export interface Everything {
  readonly life: StoreLife;
  /** Of etcd. */
  readonly etcdRevision: number;
  readonly entries: readonly StoreEntry[];
}

export class EtcdReader {
  readonly #members: EtcdMembers;
  readonly #place: StorePlace;
  readonly #identify: (timeoutMs: number) => Promise<StoreLife>;

  /** @param identify gives a store an identity if it has none */
  constructor(members: EtcdMembers, place: StorePlace, identify: (timeoutMs: number) => Promise<StoreLife>) {
    this.#members = members;
    this.#place = place;
    this.#identify = identify;
  }

  async life(timeoutMs: number): Promise<StoreLife> {
    const { kvs } = await this.#members.ask(rangeMethod, { key: this.#place.identityKey }, timeoutMs);
    return kvs.length > 0 ? lifeOf(kvs[0].value.toString()) : this.#identify(timeoutMs);
  }

  async one(key: string, timeoutMs: number): Promise<LeasedEntry | undefined> {
    const range = { key: Buffer.from(this.#place.root + key) };
    const { life, page } = await this.#first(range, timeoutMs);
    const [kv] = page.kvs;
    return kv === undefined ? undefined : { ...this.entryOf(kv, life), lease: kv.lease };
  }

  /** Under a prefix, by key, at one revision. */
  async all(prefix: string, timeoutMs: number): Promise<Everything> {
    const start = Buffer.from(this.#place.root + prefix);
    const range = { key: start, rangeEnd: endOfPrefix(start), limit: PAGE_ENTRIES };
    const { life, page, etcdRevision } = await this.#first(range, timeoutMs);
    const kvs = [...page.kvs];
    for (let more = page.more; more;) {
      const key = Buffer.concat([kvs[kvs.length - 1].key, Buffer.alloc(1)]);
      const next = await this.#members.ask(rangeMethod, { ...range, key, revision: etcdRevision }, timeoutMs);
      kvs.push(...next.kvs);
      more = next.more;
    }
    return { life, etcdRevision, entries: kvs.map((kv) => this.entryOf(kv, life)) };
  }

  entryOf(kv: KeyValue, life: StoreLife): StoreEntry {
    const key = kv.key.toString().slice(this.#place.root.length);
    return { key, value: kv.value.toString(), revision: life.firstRevision + Number(kv.modRevision) };
  }

  async #first(
    range: RangeRequest,
    timeoutMs: number,
  ): Promise<{ life: StoreLife; page: RangeResponse; etcdRevision: number }> {
    const success = [{ requestRange: { key: this.#place.identityKey } }, { requestRange: range }];
    const response = await this.#members.ask(txnMethod, { compare: [], success, failure: [] }, timeoutMs);
    const life = lifeIn(response) ?? (await this.#identify(timeoutMs));
    const page = response.responses[1].responseRange as RangeResponse;
    return { life, page, etcdRevision: Number(response.header.revision) };
  }
}

/** Of an answer whose first part is the identity's. */
export function lifeIn({ responses }: TxnResponse): StoreLife | undefined {
  const kv = responses[0].responseRange?.kvs[0];
  return kv === undefined ? undefined : lifeOf(kv.value.toString());
}

/** `<first revision> <UUID>` */
export function lifeOf(identity: string): StoreLife {
  return { identity, firstRevision: Number.parseInt(identity, 10) };
}
