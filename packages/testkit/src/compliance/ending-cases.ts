/** How connections end, and what strangers cannot do to them. */
import type { CaseDefinition } from "./admission-cases.ts";
import { check, checkEqual, checkError, numberOf } from "./compliance-world.ts";

export const endingCases: readonly CaseDefinition[] = [
  {
    name: "the client closes with code and reason: the server hears both, at once",
    async run(world) {
      const { client, heard } = await world.join();
      client.connection.close(4001, "gone for tea");
      client.flush();
      await world.until(() => world.heard.ended.length === 1, "the server hears it", 1500);
      const { error } = world.heard.ended[0];
      checkError(error, "closedByPeer", "the server's error");
      checkEqual(error?.closeCode, 4001, "the code");
      check(error?.message.includes("gone for tea") === true, "the reason is in the message");
      await world.until(() => heard.ended.length === 1, "the client's own side ends");
      checkEqual(heard.ended[0].error, undefined, "an orderly close has no error");
    },
  },
  {
    name: "the server closes with code and reason: the client hears both, at once",
    async run(world) {
      const { heard } = await world.join();
      world.heard.opened[0].close(17, "the round is over");
      world.server.flush();
      await world.until(() => heard.ended.length === 1, "the client hears it", 1500);
      const { error } = heard.ended[0];
      checkError(error, "closedByPeer", "the client's error");
      checkEqual(error?.closeCode, 17, "the code");
      check(error?.message.includes("the round is over") === true, "the reason is in the message");
      await world.until(() => world.heard.ended.length === 1, "the server's own side ends");
      checkEqual(world.heard.ended[0].error, undefined, "an orderly close has no error");
      await world.join({ clientId: 2n });
    },
  },
  {
    name: "closing a client's transport says goodbye",
    async run(world) {
      const { client } = await world.join();
      await client.close();
      await world.until(() => world.heard.ended.length === 1, "the server hears it", 1500);
      checkError(world.heard.ended[0].error, "closedByPeer", "the server's error");
    },
  },
  {
    name: "closing the server says goodbye to everybody",
    async run(world) {
      const joined = [await world.join({ clientId: 1n }), await world.join({ clientId: 2n })];
      const closed = world.server.close();
      await world.until(() => joined.every(({ heard }) => heard.ended.length === 1), "both clients hear it", 1500);
      for (const { heard } of joined) checkError(heard.ended[0].error, "closedByPeer", "the client's error");
      await closed;
    },
  },
  {
    name: "silence ends the connection on both sides after the token's timeout",
    async run(world) {
      const { client, heard } = await world.join({ timeoutSeconds: 1 });
      client.simulate({ lossRate: 1 });
      await world.until(() => world.heard.ended.length === 1 && heard.ended.length === 1, "both sides notice", 4000);
      // Both count the same silence. Who notices first closes the carrier, which a carrier with a connection of its own shows.
      const codes = [world.heard.ended[0].error?.code, heard.ended[0].error?.code];
      check(codes.includes("timedOut"), `one side says timedOut, not ${codes.join(" and ")}`);
      for (const code of codes) check(code === "timedOut" || code === "carrierFailed", `timedOut, not ${code}`);
    },
  },
  {
    name: "an idle connection stays",
    async run(world) {
      const { client, heard } = await world.join({ timeoutSeconds: 1 });
      const end = world.harness.unixSeconds() + 1.5;
      await world.until(() => world.harness.unixSeconds() >= end, "time passes");
      checkEqual(world.heard.ended.length + heard.ended.length, 0, "connections ended");
      client.connection.send("reliableOrdered", Uint8Array.of(1));
      client.flush();
      await world.until(() => world.heard.messages.length === 1, "it still works");
    },
  },
  {
    name: "garbage from strangers is dropped and disturbs nobody",
    async run(world) {
      const { client } = await world.join();
      const count = 50;
      for (let i = 0; i < count; i += 1) {
        client.connection.send("reliableOrdered", world.payload(40, i));
        client.flush();
        await world.harness.inject(world.server, garbage(world.random.int(1 << 30), i));
      }
      await world.until(() => world.heard.messages.length === count, "every message arrives");
      world.heard.messages.forEach(({ bytes }, i) => checkEqual(numberOf(bytes), i, "the order"));
      await world.until(() => world.server.dropped() > count, "the garbage is counted");
      checkEqual(world.heard.ended.length, 0, "connections ended");
      checkEqual(world.heard.opened.length, 1, "connections opened");
    },
  },
];

/** Datagrams of every packet type and many lengths: noise, and noise behind a plausible first byte. */
function garbage(seed: number, round: number): Uint8Array[] {
  let state = seed | 1;
  const byte = (): number => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    return state >>> 24;
  };
  const lengths = [1, 2, 17, 18, 1 + ((round * 53) % 1200), 1078, 308];
  return lengths.map((length, i) => {
    const bytes = Uint8Array.from({ length }, byte);
    // netcode's prefix byte: the packet type, and how many sequence bytes follow.
    bytes[0] = i === 5 ? 0 : i === 6 ? 0x83 : ((round + i) % 7) | (((round >> 2) % 9) << 4);
    return bytes;
  });
}
