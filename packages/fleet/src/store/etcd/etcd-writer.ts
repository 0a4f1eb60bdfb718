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
import type { Compare, RequestOp, TxnRequest, TxnResponse } from "./etcd-api.ts";
import { leaseGrantMethod, leaseRevokeMethod, txnMethod } from "./etcd-api.ts";
import { EtcdError } from "./etcd-error.ts";
import type { EtcdMembers } from "./etcd-members.ts";

/** Passes of processes that have died go by themselves. One that runs out in use is replaced at the next write. */
const PASS_SECONDS = 3600;
const EMPTY = Buffer.alloc(0);

interface Pass {
  readonly key: Buffer;
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

interface Written {
  /** Whether the condition held. */
  readonly succeeded: boolean;
  readonly revision: number;
}

export class EtcdWriter {
  readonly #members: EtcdMembers;
  readonly #passPrefix: string;
  readonly #timeoutMs: number;
  #pass: Pass | undefined;
  /** To be torn up with the next one made. */
  #torn: Pass | undefined;
  #renewal: Promise<Pass> | undefined;

  constructor(members: EtcdMembers, passPrefix: string, timeoutMs: number) {
    this.#members = members;
    this.#passPrefix = passPrefix;
    this.#timeoutMs = timeoutMs;
  }

  /** All of `success` if all of `compare` holds, else nothing. */
  async write(compare: readonly Compare[], success: readonly RequestOp[], deadline: number): Promise<Written> {
    const left: Mark[] = [];
    return this.#members.persist(deadline, async (timeoutMs) => {
      const pass = this.#pass ?? (await this.#renewed(timeoutMs));
      const mark = pass.free.pop() ?? { key: Buffer.from(`${pass.key.toString()}/${pass.marks++}`), revision: 0 };
      const response = await this.#ask(pass, mark, left, { compare, success }, timeoutMs);
      const revision = Number(response.header.revision);
      pass.free.push(response.succeeded ? { key: mark.key, revision } : mark);
      if (response.succeeded) return { succeeded: true, revision };
      const [passes, ...marks] = response.responses.map(({ responseRange }) => responseRange?.kvs ?? []);
      const own = marks.findIndex((kvs, i) => kvs.length > 0 && Number(kvs[0].modRevision) > left[i].revision);
      if (own !== -1) return { succeeded: true, revision: Number(marks[own][0].modRevision) };
      if (marks.some((kvs, i) => kvs.length === 0 && left[i].revision > 0))
        throw new StoreError("timeout", "etcd has lost what tells whether this was written");
      if (passes.length > 0) return { succeeded: false, revision };
      this.#tear(pass);
      throw new EtcdError(status.ABORTED, "the pass has run out");
    });
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
    { compare, success }: Pick<TxnRequest, "compare" | "success">,
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
      const success: RequestOp[] = [{ requestPut: { key, value: EMPTY, lease } }];
      if (torn !== undefined) success.push({ requestDeleteRange: { key: torn.key } });
      await this.#members.ask(txnMethod, { compare: [], success, failure: [] }, timeoutMs);
      return { key, lease, free: [], marks: 0 };
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
