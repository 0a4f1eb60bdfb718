/**
 * A way to an HTTP/2 server that a test can make silent, as a cut cable does: nothing gets through, nothing is closed. What
 * is sent meanwhile arrives when the cut ends, also if the sender has gone.
 */

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** RFC 9113 section 4.1 and 6.2: one begins each request, one or two make an answer. */
const FRAME_HEADER_BYTES = 9;
const HEADERS = 1;
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

interface Way {
  readonly to: Socket;
  readonly isAnswer: boolean;
  /** What came while it was cut. */
  readonly held: Buffer[];
}

export class SilentProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #ways = new Set<Way>();
  #requestsCut = false;
  #answersCut = false;
  #losing = false;
  #answers: Buffer[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param target `host:port`, with any scheme before it */
  static async start(target: string): Promise<SilentProxy> {
    const { hostname, port } = new URL(target);
    const proxy = new SilentProxy(createServer());
    proxy.#server.on("connection", (near) => {
      const far = connect(Number(port), hostname);
      proxy.#lead(near, far, false);
      proxy.#lead(far, near, true);
    });
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#ways.size / 2;
  }

  /** Requests that wait for the cut to end. */
  get heldRequests(): number {
    let count = 0;
    for (const { held, isAnswer } of this.#ways) if (!isAnswer) count += headersIn(Buffer.concat(held));
    return count;
  }

  /** HEADERS frames of answers since the last cut ended. */
  get answerHeaders(): number {
    return headersIn(Buffer.concat(this.#answers));
  }

  /** Until the result is called: then all that was sent meanwhile arrives. */
  cut(what: "all" | "answers" = "all"): () => void {
    this.#requestsCut = what === "all";
    this.#answersCut = true;
    return () => {
      this.#requestsCut = this.#answersCut = this.#losing = false;
      this.#answers = [];
      for (const { held, to } of this.#ways) for (const bytes of held.splice(0)) to.write(bytes);
    };
  }

  /** What is sent from now on does not arrive, neither now nor when the cut ends. */
  lose(): void {
    this.#losing = true;
  }

  /** Closes what is open. */
  break(): void {
    for (const { to } of this.#ways) to.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.break();
    this.#server.close();
    await once(this.#server, "close");
  }

  #lead(from: Socket, to: Socket, isAnswer: boolean): void {
    const way: Way = { to, isAnswer, held: [] };
    this.#ways.add(way);
    from.on("data", (bytes: Buffer) => {
      if (isAnswer) this.#answers.push(bytes);
      if (!(isAnswer ? this.#answersCut : this.#requestsCut)) to.write(bytes);
      else if (!this.#losing) way.held.push(bytes);
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      if (way.held.length > 0) return;
      this.#ways.delete(way);
      to.destroy();
    });
  }
}

/** Cuts begin and end between frames, since each side writes whole ones. */
function headersIn(bytes: Buffer): number {
  let count = 0;
  let at = bytes.toString("latin1", 0, PREFACE.length) === PREFACE ? PREFACE.length : 0;
  while (at + FRAME_HEADER_BYTES <= bytes.length) {
    if (bytes[at + 3] === HEADERS) count++;
    at += FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
  }
  return count;
}
