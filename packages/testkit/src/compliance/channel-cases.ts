/** What each channel promises, on a clean carrier and on a bad one. */
import type { Channel, Connection } from "@riposte/protocol/channel";
import type { NetworkConditions } from "@riposte/protocol/simulator";
import type { CaseDefinition } from "./admission-cases.ts";
import { check, checkBytes, checkEqual, numberOf } from "./compliance-world.ts";
import type { ComplianceWorld, Joined } from "./compliance-world.ts";
import type { Recorder } from "./recorder.ts";

/** One direction of a connection. */
interface Way {
  readonly name: string;
  readonly from: Connection;
  readonly heard: Recorder;
  flush(): void;
}

const BAD_LINK: NetworkConditions = {
  latencyMs: 15,
  jitterMs: 8,
  lossRate: 0.1,
  duplicateRate: 0.05,
  reorderRate: 0.05,
  reorderDelayMs: 12,
};

export const channelCases: readonly CaseDefinition[] = [
  {
    name: "reliable messages of all sizes come once and in order, both ways",
    async run(world) {
      for (const way of ways(world, await world.join())) {
        const sent = [0, 1, 2, 100, 1000, 1199, 1200, 1201, 5000, 40_000, 3].map((length, i) =>
          length === 0 ? new Uint8Array(0) : world.payload(length, i),
        );
        for (const bytes of sent) checkEqual(way.from.send("reliableOrdered", bytes), "queued", "send");
        way.flush();
        await world.until(() => way.heard.messages.length === sent.length, `everything arrives at the ${way.name}`);
        sent.forEach((bytes, i) => checkBytes(way.heard.messages[i].bytes, bytes, `message ${i}`));
      }
    },
  },
  {
    name: "a reliable message of 1 MiB arrives whole, both ways",
    async run(world) {
      for (const way of ways(world, await world.join())) {
        const sent = world.payload(1024 * 1024, 1);
        checkEqual(way.from.send("reliableOrdered", sent), "queued", "send");
        way.flush();
        await world.until(() => way.heard.messages.length === 1, `it arrives at the ${way.name}`, 20_000);
        checkBytes(way.heard.messages[0].bytes, sent, "the message");
      }
    },
  },
  {
    name: "unreliable messages larger than a packet are put together again",
    async run(world) {
      for (const way of ways(world, await world.join())) {
        const lengths = [1, 1150, 1300, 5000, 30_000];
        for (const channel of ["unreliableUnordered", "unreliableOrdered"] as const) {
          for (const [i, length] of lengths.entries()) {
            const sent = world.payload(length, i);
            const before = way.heard.messages.length;
            checkEqual(way.from.send(channel, sent, 0, length), "queued", "send");
            way.flush();
            await world.until(() => way.heard.messages.length > before, `${length} bytes arrive at the ${way.name}`);
            checkEqual(way.heard.messages[before].channel, channel, "the channel");
            checkBytes(way.heard.messages[before].bytes, sent.subarray(0, length), "the message");
          }
        }
      }
    },
  },
  {
    name: "on a bad link reliable messages still come once and in order",
    async run(world) {
      const joined = await world.join();
      joined.client.simulate(BAD_LINK);
      const both = ways(world, joined);
      const count = 150;
      const sizes = Array.from({ length: count }, (_, i) => 4 + ((i * 37) % 900));
      for (const [i, size] of sizes.entries()) {
        for (const way of both) {
          way.from.send("reliableOrdered", world.payload(size, i));
          way.flush();
        }
        if (i % 10 === 9) await waitAWhile(world, 5);
      }
      await world.until(() => both.every((way) => way.heard.messages.length >= count), "everything arrives", 20_000);
      await waitAWhile(world, 100);
      for (const way of both) {
        checkEqual(way.heard.messages.length, count, `messages at the ${way.name}`);
        way.heard.messages.forEach(({ bytes }, i) => {
          checkEqual(numberOf(bytes), i, "the order");
          checkEqual(bytes.length, sizes[i], "the length");
        });
      }
    },
  },
  {
    name: "on a bad link unreliable messages come at most once, ordered ones never late",
    async run(world) {
      const joined = await world.join();
      joined.client.simulate({ ...BAD_LINK, reorderRate: 0.3 });
      const both = ways(world, joined);
      const channels: readonly Channel[] = ["unreliableOrdered", "unreliableUnordered"];
      const count = 200;
      for (let i = 0; i < count; i += 1) {
        for (const way of both) {
          for (const channel of channels) way.from.send(channel, world.payload(60, i));
          way.flush();
        }
        await waitAWhile(world, 1);
      }
      await waitAWhile(world, 150);
      for (const way of both) {
        for (const channel of channels) {
          const numbers = way.heard.on(channel).map((bytes) => numberOf(bytes));
          check(numbers.length > count * 0.4, `most arrive at the ${way.name}: ${numbers.length} of ${count}`);
          check(numbers.length < count, `some are lost on the way to the ${way.name}`);
          checkEqual(new Set(numbers).size, numbers.length, "none comes twice");
          const late = numbers.filter((number, i) => i > 0 && number < numbers[i - 1]).length;
          if (channel === "unreliableOrdered") checkEqual(late, 0, "messages older than the newest");
          else check(late > 0, "unordered ones are handed over late rather than never");
        }
      }
    },
  },
  {
    name: "replies from within a handler leave by themselves",
    async run(world) {
      const { client, heard } = await world.join();
      world.heard.onMessage = ({ connection, bytes }) => connection.send("unreliableUnordered", bytes);
      client.connection.send("unreliableUnordered", Uint8Array.of(1, 2, 3));
      client.flush();
      await world.until(() => heard.messages.length === 1, "the reply arrives");
      checkBytes(heard.messages[0].bytes, Uint8Array.of(1, 2, 3), "the reply");
    },
  },
];

function ways(world: ComplianceWorld, { client, heard }: Joined): readonly Way[] {
  const connection = world.heard.opened[world.heard.opened.length - 1];
  return [
    { name: "server", from: client.connection, heard: world.heard, flush: () => client.flush() },
    { name: "client", from: connection, heard, flush: () => world.server.flush() },
  ];
}

/** Lets a little time pass, whatever happens in it. */
async function waitAWhile(world: ComplianceWorld, ms: number): Promise<void> {
  const end = world.harness.unixSeconds() + ms / 1000;
  await world.until(() => world.harness.unixSeconds() >= end, "time passes");
}
