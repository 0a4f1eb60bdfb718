/**
 * Writes that happen once or not at all, whatever becomes of the member that was asked.
 *
 * A member may be frozen with a request in its socket, and carry it out minutes later, after the same write and others have
 * gone another way. So each write holds only while this writer's pass exists, a key of its own. Whoever has had no answer
 * first tears the pass up and gets one of another name; then nothing that was asked before can happen any more.
 *
 * Each write also leaves a mark under the pass, so that whoever had no answer can tell whether it has happened. A mark's key
 * is used again when its write is done.
 */

import { randomUUID } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { StoreError } from "../state-store.ts";
import { within } from "../store-clock.ts";
import { firstRevision } from "../store-revision.ts";
import { leaseGrantMethod, leaseRevokeMethod, txnMethod } from "./etcd-api.ts";
import type { Compare, RequestOp, TxnRequest, TxnResponse } from "./etcd-api.ts";
import { EtcdError } from "./etcd-error.ts";
import type { EtcdMembers } from "./etcd-members.ts";
import { lifeIn, lifeOf } from "./etcd-reader.ts";
import type { StoreLife } from "./etcd-reader.ts";

/** Passes of processes that have died go by themselves. One that runs out in use is replaced at the next write. */
const PASS_SECONDS = 3600;
const EMPTY = Buffer.alloc(0);

interface Pass {
  readonly key: Buffer;
  /** Of the store that it is in. */
  readonly life: StoreLife;
  readonly lease: string;
  /** Marks whose writes are done. */
  readonly free: Mark[];
  marks: number;
}

interface Mark {
  readonly key: Buffer;
  /** Before the write that leaves it. */
  readonly revision: number;
}

/** All of `success` if all of `compare` holds, else nothing. */
export interface Write {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
}

export class EtcdWriter {
  readonly #members: EtcdMembers;
  readonly #identityKey: Buffer;
  readonly #passPrefix: string;
  readonly #timeoutMs: number;
  #pass: Pass | undefined;
  /** To be torn up with the next one made. */
  #torn: Pass | undefined;
  #renewal: Promise<Pass> | undefined;

  constructor(members: EtcdMembers, identityKey: Buffer, passPrefix: string, timeoutMs: number) {
    this.#members = members;
    this.#identityKey = identityKey;
    this.#passPrefix = passPrefix;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param build what to write in a store of this life; undefined: its condition is of another, and does not hold
   * @returns the revision, or undefined where the condition did not hold
   */
  async write(build: (life: StoreLife) => Write | undefined, deadline: number): Promise<number | undefined> {
    const left: Mark[] = [];
    return this.#members.persist(deadline, async (timeoutMs) => {
      const pass = this.#pass ?? (await this.#renewed(timeoutMs));
      const write = build(pass.life);
      if (write === undefined) return undefined;
      const mark = pass.free.pop() ?? { key: Buffer.from(`${pass.key.toString()}/${pass.marks++}`), revision: 0 };
      const response = await this.#ask(pass, mark, left, write, timeoutMs);
      const revision = Number(response.header.revision);
      pass.free.push(response.succeeded ? { key: mark.key, revision } : mark);
      if (response.succeeded) return pass.life.firstRevision + revision;
      const [passes, ...marks] = response.responses.map(({ responseRange }) => responseRange?.kvs ?? []);
      const own = marks.findIndex((kvs, i) => kvs.length > 0 && Number(kvs[0].modRevision) > left[i].revision);
      if (own !== -1) return pass.life.firstRevision + Number(marks[own][0].modRevision);
      if (marks.some((kvs, i) => kvs.length === 0 && left[i].revision > 0))
        throw new StoreError("timeout", "etcd has lost what tells whether this was written");
      if (passes.length > 0) return undefined;
      this.#tear(pass);
      throw new EtcdError(status.ABORTED, "the pass has run out");
    });
  }

  /** Gives a store an identity if it has none. */
  async identify(timeoutMs: number): Promise<StoreLife> {
    const key = this.#identityKey;
    const identity = `${firstRevision()} ${randomUUID()}`;
    const response = await this.#members.ask(
      txnMethod,
      {
        compare: [{ key, target: "MOD", result: "EQUAL", modRevision: 0 }],
        success: [{ requestPut: { key, value: Buffer.from(identity) } }],
        failure: [{ requestRange: { key } }],
      },
      timeoutMs,
    );
    return response.succeeded ? lifeOf(identity) : (lifeIn(response) as StoreLife);
  }

  /** Takes back the pass, for good. */
  async close(deadline: number): Promise<void> {
    const lease = this.#pass?.lease;
    if (lease === undefined) return;
    await this.#members.persist(deadline, (timeoutMs) =>
      this.#members.ask(leaseRevokeMethod, { ID: lease }, timeoutMs),
    );
  }

  async #ask(
    pass: Pass,
    mark: Mark,
    left: Mark[],
    { compare, success }: Write,
    timeoutMs: number,
  ): Promise<TxnResponse> {
    const guard: Compare = { key: pass.key, target: "VERSION", result: "GREATER", version: 0 };
    const request: TxnRequest = {
      compare: [guard, ...left.map(unchanged), ...compare],
      success: [...success, { requestPut: { key: mark.key, value: EMPTY, lease: pass.lease } }],
      failure: [pass, ...left].map(({ key }) => ({ requestRange: { key } })),
    };
    try {
      return await this.#members.ask(txnMethod, request, timeoutMs);
    } catch (error) {
      if (error instanceof EtcdError && error.transient) {
        left.push(mark);
        this.#tear(pass);
      }
      throw error;
    }
  }

  #tear(pass: Pass): void {
    if (pass !== this.#pass) return;
    this.#torn = pass;
    this.#pass = undefined;
  }

  /** One renewal for all who wait for it, each for its own time. */
  async #renewed(timeoutMs: number): Promise<Pass> {
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined;
    });
    try {
      return await within(this.#members.clock, timeoutMs, this.#renewal, late);
    } catch (error) {
      throw error instanceof EtcdError ? error : late(error);
    }
  }

  /** Each attempt makes a pass of another name, so that one that comes late makes none that is in use. */
  async #renew(): Promise<Pass> {
    const torn = this.#torn;
    const pass = await this.#members.persist(this.#members.clock.now() + this.#timeoutMs, async (timeoutMs) => {
      const { ID: lease } = await this.#members.ask(leaseGrantMethod, { TTL: PASS_SECONDS }, timeoutMs);
      const key = Buffer.from(this.#passPrefix + randomUUID());
      const look: RequestOp = { requestRange: { key: this.#identityKey } };
      const success: RequestOp[] = [look, { requestPut: { key, value: EMPTY, lease } }];
      if (torn !== undefined) success.push({ requestDeleteRange: { key: torn.key } });
      const response = await this.#members.ask(txnMethod, { compare: [], success, failure: [] }, timeoutMs);
      const life = lifeIn(response);
      if (life !== undefined) return { key, life, lease, free: [], marks: 0 };
      await this.identify(timeoutMs);
      throw new EtcdError(status.ABORTED, "the store had no identity");
    });
    this.#torn = undefined;
    this.#pass = pass;
    return pass;
  }
}

function unchanged({ key, revision }: Mark): Compare {
  return { key, target: "MOD", result: "EQUAL", modRevision: revision };
}

function late(cause?: unknown): EtcdError {
  return new EtcdError(status.DEADLINE_EXCEEDED, "etcd has not let this store write", { cause });
}
