/** A WebSocket client whose TCP connection a test can hold up or cut. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { dialWebSocket } from "../../client/src/websocket-carrier.ts";
import type { Recorder } from "../../testkit/src/index.ts";
import { SCHEMA, tokenFor } from "./fixture.ts";

export interface Line {
  /** Nothing passes, in either direction: both ends' buffers fill. */
  pause(): void;
  resume(): void;
  cut(): void;
}

/** Connects a client to the server at `port` through a line of the test's own. */
export async function dialThroughLine(
  port: number,
  handlers: Recorder,
): Promise<{ readonly line: Line; readonly client: Awaited<ReturnType<typeof dialWebSocket>> }> {
  let near: Socket | undefined;
  let far: Socket | undefined;
  const proxy = createServer((downstream) => {
    near = downstream;
    far = connect(port, "127.0.0.1");
    far.pipe(downstream);
    downstream.pipe(far);
    far.on("error", () => {});
    downstream.on("error", () => {});
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const url = `ws://127.0.0.1:${(proxy.address() as AddressInfo).port}/riposte`;
  const client = await dialWebSocket({ url, token: tokenFor(port, 1), schemaHash: SCHEMA, handlers });
  proxy.close();
  if (near === undefined || far === undefined) throw new Error("connected past the line");
  const [downstream, upstream] = [near, far];
  const line: Line = {
    pause() {
      upstream.unpipe(downstream);
      downstream.unpipe(upstream);
      upstream.pause();
      downstream.pause();
    },
    resume() {
      upstream.pipe(downstream);
      downstream.pipe(upstream);
    },
    cut() {
      upstream.destroy();
      downstream.destroy();
    },
  };
  return { line, client };
}
