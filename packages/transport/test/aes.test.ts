/** Payloads under AES-256-GCM: where both sides want them, and never otherwise. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { PacketBatch, nodeCrypto, openDatapath } from "@riposte/datapath";
import type { EndpointExtensions } from "@riposte/protocol/endpoint";
import { generateConnectToken, writeUserData } from "@riposte/protocol/netcode";
import { Recorder } from "../../testkit/src/index.ts";
import { dialUdp } from "../src/index.ts";
import { PRIVATE_KEY, PROTOCOL_ID, SCHEMA, closeAll, serve, until } from "./fixture.ts";

const PACKET_PAYLOAD = 5;
const PACKET_NAMED_PAYLOAD = 7;
const PACKET_PAYLOAD_AES = 8;
const PACKET_NAMED_PAYLOAD_AES = 9;
const MESSAGES = 30;

afterEach(closeAll);

/** Passes on what one client and a server send, and counts the types of their packets. */
class Line {
  readonly up: number[] = Array.from({ length: 16 }, () => 0);
  readonly down: number[] = Array.from({ length: 16 }, () => 0);
  readonly #near: Socket = createSocket("udp4");
  readonly #far: Socket = createSocket("udp4");
  #client = 0;

  async open(): Promise<number> {
    this.#near.bind(0, "127.0.0.1");
    this.#far.bind(0, "127.0.0.1");
    await Promise.all([once(this.#near, "listening"), once(this.#far, "listening")]);
    return this.#near.address().port;
  }

  to(serverPort: number): void {
    this.#near.on("message", (bytes, { port }) => {
      this.#client = port;
      this.up[bytes[0] & 15]++;
      this.#far.send(bytes, serverPort, "127.0.0.1");
    });
    this.#far.on("message", (bytes) => {
      this.down[bytes[0] & 15]++;
      this.#near.send(bytes, this.#client, "127.0.0.1");
    });
  }

  close(): void {
    this.#near.close();
    this.#far.close();
  }
}

/** Both sides send reliable messages through a line, each answered by the next. */
async function talk(serverWants: EndpointExtensions, clientWants: EndpointExtensions): Promise<Line> {
  const line = new Line();
  const port = await line.open();
  const { server, heard } = await serve({ publicAddresses: [`127.0.0.1:${port}`], extensions: serverWants });
  line.to(server.port);
  const answers = new Recorder();
  const client = await dialUdp({
    token: generateConnectToken({
      protocolId: PROTOCOL_ID,
      clientId: 1n,
      privateKey: PRIVATE_KEY,
      serverAddresses: [`127.0.0.1:${port}`],
      userData: writeUserData({}),
      nowSeconds: Date.now() / 1000,
      crypto: nodeCrypto(),
    }),
    schemaHash: SCHEMA,
    handlers: answers,
    extensions: clientWants,
  });
  await until(() => heard.opened.length === 1, "connected");
  const message = new Uint8Array(50);
  for (let i = 1; i <= MESSAGES; i += 1) {
    client.connection.send("reliableOrdered", message);
    client.flush();
    await until(() => heard.messages.length === i, "the server hears it");
    heard.opened[0].send("reliableOrdered", message);
    server.flush();
    await until(() => answers.messages.length === i, "the client hears the answer");
  }
  await client.close();
  await server.close();
  line.close();
  return line;
}

test("where both sides have the instructions, payloads go under AES", async () => {
  assert.ok(openDatapath().createPacketProtection().prefersAes, "every processor that runs our tests has them");
  const { up, down } = await talk({}, {});
  assert.ok(up[PACKET_NAMED_PAYLOAD_AES] > MESSAGES / 2, String(up));
  assert.ok(down[PACKET_PAYLOAD_AES] > MESSAGES / 2, String(down));
  // Until the hellos have crossed.
  assert.ok(up[PACKET_PAYLOAD] <= 4 && down[PACKET_PAYLOAD] <= 4, `${up.join()} ${down.join()}`);
  const plain = await talk({ migration: false }, {});
  assert.ok(plain.up[PACKET_PAYLOAD_AES] > MESSAGES / 2, String(plain.up));
});

test("where one side does not want it, nobody uses it", async () => {
  for (const [server, client] of [
    [{ aes: false }, {}],
    [{}, { aes: false }],
  ]) {
    const { up, down } = await talk(server, client);
    for (const type of [PACKET_PAYLOAD_AES, PACKET_NAMED_PAYLOAD_AES]) assert.equal(up[type] + down[type], 0);
    assert.ok(up[PACKET_NAMED_PAYLOAD] > MESSAGES / 2, String(up));
    assert.ok(down[PACKET_PAYLOAD] > MESSAGES / 2, String(down));
  }
});

test("the packets of the specification open", () => {
  const lines = readFileSync(new URL("../../../docs/protocol/vectors/aes-payload.txt", import.meta.url), "utf8").split(
    "\n",
  );
  const key = lines.find((line) => line.startsWith("KEY "))?.split(" ")[2] ?? assert.fail("no KEY vector");
  const packets = lines.filter((line) => line.startsWith("PACKET ")).map((line) => line.split(" "));
  assert.ok(packets.length > 0);
  const protection = openDatapath().createPacketProtection();
  for (const [, protocolId, type, , sequence, payload, hex] of packets) {
    const prefix = Buffer.concat([Buffer.from("NETCODE 1.02\0"), Buffer.from(protocolId, "hex").toReversed()]);
    const handle = protection.addKey(Buffer.from(key, "hex"), prefix, { cipher: "aes-256-gcm" });
    const bytes = Buffer.from(hex, "hex");
    assert.equal(bytes[0] & 15, Number(type));
    const batch = new PacketBatch(1);
    assert.ok(batch.append(bytes, 0, bytes.length, 0));
    batch.key[0] = handle;
    batch.packetNumber[0] = Number(sequence);
    batch.aadLength[0] = Number(type) === PACKET_NAMED_PAYLOAD_AES ? 5 : 1;
    batch.headerLength[0] = batch.aadLength[0] + (bytes[0] >> 4);
    protection.open(batch);
    assert.equal(batch.opened[0], 1);
    const opened = Buffer.from(
      batch.buffer.subarray(batch.offset[0] + batch.headerLength[0], batch.offset[0] + batch.length[0]),
    );
    assert.equal(opened.toString("hex"), payload === "-" ? "" : payload);
    protection.releaseKey(handle);
  }
});
