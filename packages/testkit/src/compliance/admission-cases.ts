/** Who gets in, who does not, and what each is told. */
import { check, checkBytes, checkEqual, checkError } from "./compliance-world.ts";
import type { ComplianceWorld, WorldOptions } from "./compliance-world.ts";

export interface CaseDefinition {
  readonly name: string;
  readonly options?: WorldOptions;
  readonly plainPeers?: boolean;
  run(world: ComplianceWorld): Promise<void>;
}

export const admissionCases: readonly CaseDefinition[] = [
  {
    name: "a token admits; both sides know the client",
    async run(world) {
      const userData = world.payload(256, 9);
      const { client } = await world.join({ clientId: 0xfedc_ba98_7654_3210n, userData });
      checkEqual(client.connection.state, "open", "the client's state");
      const [connection] = world.heard.opened;
      checkEqual(connection.clientId, 0xfedc_ba98_7654_3210n, "the client id");
      checkBytes(connection.userData, userData, "the user data");
      checkEqual(world.heard.opened.length, 1, "announcements");
    },
  },
  {
    name: "another schema is refused with a clear error",
    async run(world) {
      const error = await world.refused({ schemaHash: Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1) });
      checkError(error, "schemaMismatch", "the client's error");
      await world.join({ clientId: 2n });
      checkEqual(world.heard.opened.length, 1, "announcements");
      checkEqual(world.heard.opened[0].clientId, 2n, "who was announced");
    },
  },
  {
    name: "a forged token gets no answer",
    async run(world) {
      const error = await world.refused({ privateKey: new Uint8Array(32), timeoutSeconds: 1 });
      check(error.code === "timedOut" || error.code === "carrierFailed", `no admission, but ${error.code}`);
      checkEqual(world.heard.opened.length, 0, "announcements");
    },
  },
  {
    name: "a full server says so",
    options: { maxClients: 1 },
    async run(world) {
      await world.join({ clientId: 1n });
      const error = await world.refused({ clientId: 2n });
      check(error.code === "denied" || error.code === "serverFull", `denied, not ${error.code}`);
    },
  },
  {
    name: "aborting while connecting rejects with the reason and leaves no seat taken",
    options: { maxClients: 1 },
    async run(world) {
      const reason = new Error("the player changed their mind");
      const dialing = world.dial({ clientId: 1n });
      dialing.abort(reason);
      let caught: unknown;
      await dialing.connected.catch((error: unknown) => {
        caught = error;
      });
      checkEqual(caught, reason, "the rejection");
      await world.join({ clientId: 2n });
      checkEqual(world.heard.opened.length, 1, "announcements");
    },
  },
  {
    name: "a newer token of the same client displaces the older connection",
    async run(world) {
      const first = await world.join({ clientId: 7n });
      const second = await world.join({ clientId: 7n });
      await world.until(() => first.heard.ended.length === 1, "the older connection ends");
      checkError(first.heard.ended[0].error, "displaced", "what the older one hears");
      checkError(world.heard.ended[0]?.error, "displaced", "what the server hears");
      second.client.connection.send("reliableOrdered", Uint8Array.of(5));
      second.client.flush();
      await world.until(() => world.heard.messages.length === 1, "the newer one is heard");
      checkEqual(world.heard.messages[0].connection, world.heard.opened[1], "the speaker");
    },
  },
  {
    name: "a plain netcode peer exchanges raw payloads",
    plainPeers: true,
    async run(world) {
      const dialing = world.dial({ schemaHash: undefined });
      const client = await dialing.connected;
      checkEqual(client.connection.state, "raw", "the client's state");
      const upward = world.payload(1200, 1);
      checkEqual(client.connection.sendRaw(upward), "queued", "sendRaw");
      client.flush();
      await world.until(() => world.heard.messages.length === 1, "the server hears the payload");
      checkBytes(world.heard.on("raw")[0], upward, "the payload");
      const [connection] = world.heard.opened;
      checkEqual(connection.state, "raw", "the server's state");
      checkEqual(connection.send("reliableOrdered", upward), "closed", "channels are closed to it");
      connection.sendRaw(Uint8Array.of(9));
      world.server.flush();
      await world.until(() => dialing.heard.messages.length === 1, "the client hears the answer");
      checkBytes(dialing.heard.on("raw")[0], Uint8Array.of(9), "the answer");
    },
  },
  {
    name: "many clients at once, each with its own stream",
    options: { maxClients: 16 },
    async run(world) {
      world.heard.onMessage = ({ connection, bytes }) => connection.send("reliableOrdered", bytes);
      const joined = Array.from({ length: 16 }, (_, i) => world.dial({ clientId: BigInt(i + 1) }));
      const clients = await Promise.all(joined.map((dialing) => dialing.connected));
      clients.forEach((client, i) => {
        client.connection.send("reliableOrdered", Uint8Array.of(i, i, i));
        client.flush();
      });
      await world.until(() => joined.every(({ heard }) => heard.messages.length === 1), "every client hears its echo");
      joined.forEach(({ heard }, i) => checkBytes(heard.messages[0].bytes, Uint8Array.of(i, i, i), "the echo"));
      checkEqual(new Set(world.heard.opened.map((connection) => connection.index)).size, 16, "seats");
    },
  },
];
