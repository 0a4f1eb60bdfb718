/** One connect token admits one client, by whichever carrier it comes first: the carriers share one table of used tokens. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { dialWebSocket } from "../../client/src/websocket-carrier.ts";
import { Recorder } from "../../testkit/src/index.ts";
import { dialUdp } from "../src/index.ts";
import type { ServerTransport } from "../src/index.ts";
import { SCHEMA, closeAll, serve, tokenFor, until } from "./fixture.ts";

afterEach(closeAll);

type Carrier = "udp" | "websocket";

interface Dialled {
  close(): Promise<void>;
}

function dial(carrier: Carrier, port: number, token: Uint8Array, signal?: AbortSignal): Promise<Dialled> {
  const options = { token, schemaHash: SCHEMA, handlers: new Recorder(), signal };
  return carrier === "udp" ? dialUdp(options) : dialWebSocket({ ...options, url: `ws://127.0.0.1:${port}/riposte` });
}

/** Requests that were refused because their token is somebody else's. */
function refused(server: ServerTransport): number {
  return server.stats.drops.tokenReused;
}

const orders: readonly (readonly [Carrier, Carrier])[] = [
  ["udp", "websocket"],
  ["websocket", "udp"],
  ["websocket", "websocket"],
  ["udp", "udp"],
];

for (const [first, second] of orders) {
  test(`a token used by ${first} admits nobody by ${second}, while its client plays and afterwards`, async () => {
    const { server, heard } = await serve();
    const token = tokenFor(server.port, 1, 30);
    const client = await dial(first, server.port, token);
    await until(() => heard.opened.length === 1, "the first is connected");
    for (const stage of ["while it plays", "afterwards"]) {
      const before = refused(server);
      const controller = new AbortController();
      const again = dial(second, server.port, token, controller.signal);
      // A client asks ten times a second until its token's time is over.
      const outcome = again.then(
        () => "connected",
        (error: unknown) => error,
      );
      await until(() => refused(server) >= before + 3, `refused ${stage}`);
      controller.abort("enough");
      assert.equal(await outcome, "enough");
      assert.equal(heard.opened.length, 1, "nobody else was announced");
      if (stage === "afterwards") break;
      assert.equal(heard.ended.length, 0, "the first plays on");
      await client.close();
      await until(() => heard.ended.length === 1, "the first has left");
    }
    // Another token of the same player is welcome.
    const back = await dial(second, server.port, tokenFor(server.port, 1, 30));
    await until(() => heard.opened.length === 2, "the second is connected");
    await back.close();
  });
}
