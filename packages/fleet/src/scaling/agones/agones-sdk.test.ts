import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { until } from "../../../test/until.ts";
import { AgonesSdk } from "./agones-sdk.ts";

/** As the SDK server writes a GameServer, by Agones' page about REST. */
function gameServer(state: string): object {
  return {
    object_meta: {
      name: "game-eu-abcde-00001",
      namespace: "games",
      uid: "1234",
      resource_version: "v1",
      generation: "1",
      creation_timestamp: "1531795395",
      annotations: {},
      labels: { "agones.dev/fleet": "game-eu" },
    },
    status: { state, address: "203.0.113.18", ports: [{ name: "game", port: 7445 }] },
  };
}

describe("AgonesSdk", () => {
  it("says that it is ready, waits until it is allocated, and says that it is well", async () => {
    const calls: string[] = [];
    let state = "Scheduled";
    let isThere = false;
    const server = createServer((request, response) => {
      calls.push(`${request.method} ${request.url}`);
      if (!isThere) response.statusCode = 503;
      if (isThere && request.url === "/ready") state = "Ready";
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(request.url === "/gameserver" ? gameServer(state) : {}));
    });
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    const { port } = server.address() as AddressInfo;
    using sdk = new AgonesSdk({ port, healthEveryMs: 20 });
    const allocated = sdk.allocated();
    await until(() => calls.includes("POST /ready"));
    isThere = true;
    await until(() => calls.filter((call) => call === "GET /gameserver").length > 1);
    assert.equal(state, "Ready");
    state = "Allocated";
    assert.deepEqual(await allocated, { name: "game-eu-abcde-00001", address: "203.0.113.18", ports: { game: 7445 } });
    await until(() => calls.filter((call) => call === "POST /health").length > 3);
    server.closeAllConnections();
    server.close();
  });

  it("does not wait for longer than it is told to", async () => {
    using sdk = new AgonesSdk({ port: 1 });
    await assert.rejects(sdk.allocated(AbortSignal.timeout(50)), { name: "TimeoutError" });
  });
});
