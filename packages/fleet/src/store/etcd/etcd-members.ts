/**
 * The way to etcd's members: one connection to each that is used, one member at a time, the next when it fails.
 *
 * Time is limited by timers of our own, not by gRPC's deadlines, which are instants of a clock that may be set. A frozen
 * member accepts connections and says nothing: HTTP/2 pings find that out, and the member must allow them so often
 * (`--grpc-keepalive-min-time`).
 */

import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { Client, Metadata, credentials as channelCredentials, status } from "@grpc/grpc-js";
import type { ClientDuplexStream, ClientOptions, ServiceError } from "@grpc/grpc-js";
import { StoreError } from "../state-store.ts";
import type { StoreClock } from "../store-clock.ts";
import { authenticateMethod } from "./etcd-api.ts";
import type { Method } from "./etcd-api.ts";
import { EtcdError } from "./etcd-error.ts";

/** Of a list, at once. */
export const PAGE_ENTRIES = 256;

const CHANNEL_OPTIONS: ClientOptions = {
  "grpc.keepalive_time_ms": 1000,
  "grpc.keepalive_timeout_ms": 1000,
  // etcd counts pings without a call as an attack. Where there is a watch, there is a call.
  "grpc.keepalive_permit_without_calls": 0,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
  // A page of a list of the largest values. A watch's responses come in fragments, which are smaller.
  "grpc.max_receive_message_length": (PAGE_ENTRIES + 1) * 1024 * 1024,
  "grpc.enable_http_proxy": 0,
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
};
const PAUSE_MS = 50;
const MAX_PAUSE_MS = 400;

/** PEM. */
export interface EtcdTls {
  /** Of the authority that signed the members' certificates. Default: the system's. */
  readonly ca?: string | Buffer;
  /** Of this client, where etcd asks for one (`--client-cert-auth`). */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
}

export interface EtcdMembersOptions {
  /** `host:port`, also with `http://` or `https://` before it. */
  readonly endpoints: readonly string[];
  /** Default: TLS if an endpoint says `https://`. */
  readonly tls?: EtcdTls;
  readonly user?: { readonly name: string; readonly password: string };
  readonly clock: StoreClock;
  /** How long one member may take to answer before another is asked. */
  readonly attemptMs: number;
}

/** As callers see it. */
interface EtcdMember {
  readonly address: string;
}

interface Member extends EtcdMember {
  client: Client | undefined;
  failedAt: number;
}

export class EtcdMembers {
  readonly clock: StoreClock;
  readonly attemptMs: number;
  readonly #members: readonly Member[];
  readonly #tls: EtcdTls | undefined;
  readonly #user: EtcdMembersOptions["user"];
  #current: Member;
  #token: Promise<string> | undefined;
  #closed = false;

  constructor(options: EtcdMembersOptions) {
    const { endpoints, tls } = options;
    if (endpoints.length === 0) throw new RangeError("endpoints must name at least one member of etcd");
    this.clock = options.clock;
    this.attemptMs = options.attemptMs;
    this.#user = options.user;
    this.#tls = tls ?? (endpoints.some((endpoint) => endpoint.startsWith("https:")) ? {} : undefined);
    this.#members = endpoints.map((endpoint) => ({
      address: endpoint.replace(/^https?:\/\//, "").replace(/\/$/, ""),
      client: undefined,
      failedAt: -Infinity,
    }));
    // Balancers that start with the same list spread over the members.
    this.#current = this.#members[Math.floor(Math.random() * this.#members.length)];
  }

  /** One question to one member; if it does not answer, the next question goes to another. */
  async ask<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> {
    const startedAt = this.clock.now();
    const metadata = await this.#metadata(timeoutMs);
    return this.#unary(method, request, timeoutMs - (this.clock.now() - startedAt), metadata);
  }

  /** One question and one answer over a call that could have more of both. */
  async exchange<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> {
    const stream = await this.open(method, timeoutMs);
    return this.#within(timeoutMs, stream.member, (resolve, reject) => {
      stream.call.on("data", (response: Response) => {
        resolve(response);
        stream.call.cancel();
      });
      stream.call.on("error", (error: ServiceError) => reject(EtcdError.of(error)));
      stream.call.on("end", () => reject(new EtcdError(status.UNAVAILABLE, "the call ended without an answer")));
      stream.call.write(request);
      return () => stream.call.cancel();
    });
  }

  /** A call both ways at the member that is asked now. The caller takes errors, and says when it has failed. */
  async open<Request, Response>(
    method: Method<Request, Response>,
    timeoutMs: number,
  ): Promise<{ call: ClientDuplexStream<Request, Response>; member: EtcdMember }> {
    const metadata = await this.#metadata(timeoutMs);
    // A member that has lost the others ends the call instead of staying silent.
    metadata.set("hasleader", "true");
    const member = this.#current;
    const call = this.#clientOf(member).makeBidiStreamRequest(
      method.path,
      method.serialize,
      method.deserialize,
      metadata,
      {},
    );
    return { call, member };
  }

  /** Whatever may be done twice: tried until `deadline`, at one member after the other. */
  async persist<T>(deadline: number, attempt: (timeoutMs: number) => Promise<T>): Promise<T> {
    let last: EtcdError | undefined;
    for (let tries = 0; ; tries++) {
      const remainsMs = deadline - this.clock.now();
      if (remainsMs <= 0)
        throw new StoreError("timeout", `etcd has not answered in time: ${last?.message ?? "no attempt"}`, {
          cause: last,
        });
      try {
        return await attempt(Math.min(remainsMs, this.attemptMs));
      } catch (error) {
        if (!(error instanceof EtcdError) || !this.#mayPass(error)) throw error;
        last = error;
      }
      await this.pause(tries);
    }
  }

  /** Before the next try: none while there are members that were not asked yet. */
  async pause(tries: number): Promise<void> {
    const rounds = tries - this.#members.length + 1;
    if (rounds < 0) return;
    const delayMs = Math.min(PAUSE_MS * 2 ** rounds, MAX_PAUSE_MS);
    await new Promise<void>((resolve) => this.clock.after(delayMs, resolve));
  }

  /** From now on another is asked: the one whose last failure is the longest ago. */
  failed({ address }: EtcdMember): void {
    const member = this.#members.find((one) => one.address === address);
    if (member === undefined) return;
    member.failedAt = this.clock.now();
    if (member !== this.#current) return;
    this.#current = this.#members.reduce((best, other) => (other.failedAt < best.failedAt ? other : best));
  }

  close(): void {
    this.#closed = true;
    for (const member of this.#members) member.client?.close();
  }

  #mayPass(error: EtcdError): boolean {
    return error.transient || (error.tokenIsStale && this.#user !== undefined);
  }

  #clientOf(member: Member): Client {
    if (this.#closed) throw new StoreError("away", "the store is closed");
    member.client ??= connectTo(member.address, this.#tls);
    return member.client;
  }

  #unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    timeoutMs: number,
    metadata: Metadata,
  ): Promise<Response> {
    const member = this.#current;
    return this.#within(timeoutMs, member, (resolve, reject) => {
      const { path, serialize, deserialize } = method;
      const client = this.#clientOf(member);
      const call = client.makeUnaryRequest(path, serialize, deserialize, request, metadata, {}, (error, response) => {
        if (error === null) resolve(response as Response);
        else reject(EtcdError.of(error));
      });
      return () => call.cancel();
    });
  }

  /**
   * Gives up after a time, and notes failures: of the member, or of the token.
   * @param start begins, calls back later, and returns how to cancel
   */
  #within<T>(
    timeoutMs: number,
    member: EtcdMember,
    start: (resolve: (value: T) => void, reject: (error: EtcdError) => void) => () => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let settled = false;
      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        stopTimer();
        return true;
      };
      const fail = (error: EtcdError): void => {
        if (!settle()) return;
        if (error.tokenIsStale) this.#token = undefined;
        else if (error.transient) this.failed(member);
        reject(error);
      };
      const cancel = start((value) => {
        if (settle()) resolve(value);
      }, fail);
      const stopTimer = this.clock.after(timeoutMs, () => {
        fail(new EtcdError(status.DEADLINE_EXCEEDED, `${member.address} has not answered`));
        cancel();
      });
    });
  }

  async #metadata(timeoutMs: number): Promise<Metadata> {
    const metadata = new Metadata();
    if (this.#user === undefined) return metadata;
    this.#token ??= this.#authenticate(this.#user, timeoutMs);
    const token = await this.#token;
    if (token !== "") metadata.set("token", token);
    return metadata;
  }

  async #authenticate(user: { name: string; password: string }, timeoutMs: number): Promise<string> {
    try {
      return (await this.#unary(authenticateMethod, user, timeoutMs, new Metadata())).token;
    } catch (error) {
      // A cluster that has just been made has no users yet.
      if (error instanceof EtcdError && error.message.includes("authentication is not enabled")) return "";
      this.#token = undefined;
      throw error;
    }
  }
}

function connectTo(address: string, tls: EtcdTls | undefined): Client {
  if (tls === undefined) return new Client(address, channelCredentials.createInsecure(), CHANNEL_OPTIONS);
  const { hostname } = new URL(`tcp://${address}`);
  const host = hostname.replaceAll(/[[\]]/g, "");
  const credentials = channelCredentials.createSsl(bytes(tls.ca), bytes(tls.key), bytes(tls.cert), {
    checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
  });
  // RFC 6066 section 3: an address is no server name. grpc-js sends it as one unless there is another, and Node refuses.
  const name = isIP(host) === 0 ? {} : { "grpc.ssl_target_name_override": "etcd" };
  return new Client(address, credentials, { ...CHANNEL_OPTIONS, ...name });
}

function bytes(pem: string | Buffer | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}
