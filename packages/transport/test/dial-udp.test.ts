/** Dialling: a token whose addresses are not all within reach, and what a client may wait for. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { nodeCrypto, openDatapath } from "@riposte/datapath";
import type { Datapath } from "@riposte/datapath";
import { generateConnectToken } from "@riposte/protocol/netcode";
import { dialUdp } from "../src/index.ts";
import { PRIVATE_KEY, PROTOCOL_ID, SCHEMA, closeAll, serve, tokenFor, until } from "./fixture.ts";

afterEach(closeAll);

/** A machine without IPv6, as the portable datapath meets it. */
function withoutIpv6(): Datapath {
  const datapath = openDatapath();
  return {
    ...datapath,
    openUdpSocket: async (options) => {
      if (options.host?.includes(":")) throw Object.assign(new Error("no IPv6"), { code: "EAFNOSUPPORT" });
      return datapath.openUdpSocket({ ...options, host: options.host ?? "0.0.0.0" });
    },
  };
}

async function dial(serverAddresses: string[], port: number, datapath: Datapath): Promise<void> {
  const token = generateConnectToken({
    protocolId: PROTOCOL_ID,
    clientId: 1n,
    privateKey: PRIVATE_KEY,
    serverAddresses: [...serverAddresses, `127.0.0.1:${port}`],
    timeoutSeconds: 5,
    nowSeconds: Date.now() / 1000,
    crypto: nodeCrypto(),
  });
  const before = performance.now();
  const client = await dialUdp({ token, schemaHash: SCHEMA, handlers: {}, datapath });
  const took = performance.now() - before;
  await client.close();
  assert.ok(took < 3000, `it took ${took} ms`);
}

test("without IPv6, the IPv6 addresses of a token are passed over", async () => {
  const { server } = await serve();
  await dial([`[::1]:${server.port}`], server.port, withoutIpv6());
});

test("an address without a port is passed over", async () => {
  const { server } = await serve();
  await dial(["127.0.0.1"], server.port, openDatapath());
});

test("after `full` a client may wait until there is room again, or until it is over", async () => {
  const { server, heard } = await serve();
  const token = tokenFor(server.port, 1);
  const limits = { reliableSendBytes: 200_000 };
  const client = await dialUdp({ token, schemaHash: SCHEMA, handlers: {}, limits });
  const message = new Uint8Array(60_000);
  const fill = (): number => {
    let queued = 0;
    while (client.connection.send("reliableOrdered", message) === "queued") queued++;
    return queued;
  };
  await client.drained(); // nothing was refused: at once
  const first = fill();
  await client.drained();
  const second = fill();
  assert.ok(first >= 3 && second >= 1, `${first} and ${second} messages`);
  await client.drained();
  await until(() => heard.messages.length === first + second, "all have come");
  fill();
  const waiting = client.drained();
  await client.close();
  await assert.rejects(waiting, { name: "NetworkError" });
  await assert.rejects(client.drained(), { name: "NetworkError" });
});
