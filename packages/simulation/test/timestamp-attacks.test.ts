/** What cheats try with their view stamps and their links, and what comes of it (docs/fairness.md, "What a cheat can gain"). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { doctor, wireTick } from "./doctored-client.ts";
import { TestNetwork } from "./link.ts";
import type { LinkConditions } from "./link.ts";
import { meterLinks } from "./link-meter.ts";
import type { AckTampering } from "./link-meter.ts";
import { looks, watchingGame } from "./watching-game.ts";
import type { Watcher } from "./watching-game.ts";

type Network = TestNetwork<ReturnType<typeof watchingGame>>;

interface Attack {
  readonly acks?: AckTampering;
  /** Sets the client up. */
  begin?(cheat: Watcher, network: Network): void;
  /** Whether the game judges inputs that come late. */
  readonly keepsLate?: boolean;
  /** Whether it is after a shot at this time, in milliseconds. Default: always. */
  shoots?(now: number): boolean;
}

interface Outcome {
  /** Rewind of the usual look of an honest client of the same link; of the farthest of the attacker's, but for one in a thousand. */
  readonly honestMs: number;
  readonly reachedMs: number;
  readonly gainMs: number;
  readonly suspicion: number;
}

/** Runs the attack and, on an equal link, an honest client. `isChecked`: whether the server's measurements reach the match. */
function run(conditions: LinkConditions, attack: Attack, isChecked = true): Outcome {
  const ages = [false, true].map((isAttack) => {
    const network: Network = new TestNetwork(watchingGame(30, attack.keepsLate));
    const meters = isChecked ? meterLinks(network) : undefined;
    const player = network.add(conditions, { go: true });
    if (isAttack) {
      attack.begin?.(player, network);
      if (meters !== undefined && attack.acks !== undefined) meters(player).tampering = attack.acks;
    }
    network.run(10_000);
    looks.length = 0;
    network.run(20_000);
    const suspicion = network.match.seat(player.seat)?.stats.viewSuspicion ?? Number.NaN;
    assert.ok(looks.length > 300, `${looks.length} looks`);
    const counted = looks.filter(({ tick }) => !isAttack || (attack.shoots?.((tick * 1000) / 60) ?? true));
    return { sorted: counted.map((look) => look.ageMs).sort((a, b) => a - b), suspicion };
  });
  const [honest, attacker] = ages;
  assert.equal(honest.suspicion, 0);
  const honestMs = honest.sorted[honest.sorted.length >> 1];
  const reachedMs = attacker.sorted[Math.floor(attacker.sorted.length * 0.999)];
  return { honestMs, reachedMs, gainMs: reachedMs - honestMs, suspicion: attacker.suspicion };
}

/** Stamps that are so much older than the truth. */
function shift(ms: number): (cheat: Watcher) => void {
  return (cheat) =>
    doctor(cheat, {
      stamp(view) {
        view.viewTick = wireTick(view.viewTick - (ms * 60) / 1000);
      },
    });
}

/** Receipts, and stamps, of `ms` before. */
function lateReceipts(cheat: Watcher, network: Network, ms: number, shiftMs: number): void {
  const had: { at: number; newest: number; mask: number }[] = [];
  doctor(cheat, {
    receipts(newest, mask) {
      had.push({ at: network.now, newest, mask });
      const known = had.findLast(({ at }) => at <= network.now - ms);
      return known ?? { newest: -1, mask: 0 };
    },
    stamp(view) {
      view.viewTick = wireTick(view.viewTick - (shiftMs * 60) / 1000);
    },
  });
}

/** The documented bounds: what any of these may gain on a steady link, and what more by feigning jitter. */
const BASE_MS = 130;
const FEIGNED_MS = 200;
/** So late an input may be, in a game with `late`. */
const LATE_MS = 250;

/** With what a cheat may gain there by saying that it saw what was longer ago. */
const links: readonly (LinkConditions & { readonly boundMs: number })[] = [
  { latencyMs: 20, boundMs: BASE_MS },
  { latencyMs: 60, jitterMs: 10, boundMs: 140 },
  { latencyMs: 150, jitterMs: 20, boundMs: 170 },
  { latencyMs: 150, jitterMs: 20, lossRate: 0.03, boundMs: 230 },
];

const nameOf = ({ latencyMs, jitterMs = 0, lossRate = 0 }: LinkConditions): string =>
  `${latencyMs} ms, +-${jitterMs} ms, ${lossRate * 100} % loss`;

describe("a cheat", () => {
  for (const link of links) {
    it(`that says it saw what was longer ago gains little at ${nameOf(link)}`, () => {
      for (const ms of [100, 250, 400]) {
        const { gainMs, suspicion } = run(link, { begin: shift(ms) });
        assert.ok(gainMs > 0 && gainMs <= link.boundMs, `${gainMs} ms`);
        // A little more than the truth is within what a worse client would say.
        if (ms === 400) assert.ok(suspicion > 0.5, `${suspicion}`);
      }
    });
  }

  it("gains all of the rewind limit when the server does not measure: the test can fail", () => {
    const { gainMs } = run(links[0], { begin: shift(400) }, false);
    assert.ok(gainMs > 350, `${gainMs} ms`);
  });

  it("gains no more by shifting now and then", () => {
    const { gainMs, suspicion } = run(links[0], {
      begin: (cheat, network) =>
        doctor(cheat, {
          stamp(view) {
            if (network.now % 700 < 100) view.viewTick = wireTick(view.viewTick - 24);
          },
        }),
    });
    assert.ok(gainMs <= BASE_MS, `${gainMs} ms`);
    assert.ok(suspicion > 0.05 && suspicion < 0.5, `${suspicion}`);
  });

  it("gains nothing by holding back its transport's acknowledgements, as its inputs tell", () => {
    const { gainMs } = run(links[0], { begin: shift(400), acks: { delayMs: () => 250 } });
    assert.ok(gainMs <= BASE_MS, `${gainMs} ms`);
  });

  it("gains nothing by holding back the receipts of snapshots, as its transport tells", () => {
    const { gainMs } = run(links[0], { begin: (cheat, network) => lateReceipts(cheat, network, 250, 250) });
    assert.ok(gainMs <= BASE_MS, `${gainMs} ms`);
  });

  it("that names old snapshots under honest views is found, and judged by the news that it had", () => {
    const { suspicion, gainMs } = run(
      { latencyMs: 60 },
      {
        begin: (cheat) =>
          doctor(cheat, {
            stamp(view) {
              view.snapshotTick -= 24;
            },
          }),
      },
    );
    assert.ok(suspicion > 0.9, `${suspicion}`);
    assert.ok(gainMs < 20, `${gainMs} ms`);
  });

  it("gains nothing by denying that it had snapshots", () => {
    const { gainMs } = run(links[0], { begin: denial(16, 20) });
    assert.ok(gainMs <= BASE_MS, `${gainMs} ms`);
  });

  it("that feigns jitter gains what jitter may account for", () => {
    const { gainMs } = run(links[0], {
      begin: shift(400),
      acks: { delayMs: (now) => (Math.floor(now / 50) % 2) * 250 },
    });
    assert.ok(gainMs > BASE_MS && gainMs <= BASE_MS + FEIGNED_MS, `${gainMs} ms`);
  });

  for (const halfMs of [200, 1000, 4000]) {
    it(`that alternates its latency every ${halfMs} ms gains no more than that`, () => {
      // Everything it sends is late for half of the time; its shots fall in the other half.
      const { gainMs, suspicion } = run(links[0], {
        begin(cheat, network) {
          const fast = cheat.conditions;
          const slow = { ...fast, latencyMs: fast.latencyMs + 250 };
          network.onTick = () => (cheat.conditions = isSlow(network.now, halfMs) ? slow : fast);
          shift(400)(cheat);
        },
        // What was on its way when the fast half began has arrived after that.
        shoots: (now) => !isSlow(now, halfMs) && !isSlow(now - 160, halfMs),
        acks: { delayMs: (now) => (isSlow(now, halfMs) ? 125 : 0) },
      });
      assert.ok(gainMs <= BASE_MS + FEIGNED_MS, `${gainMs} ms`);
      assert.ok(suspicion > 0.5, `${suspicion}`);
    });
  }

  it("that freezes its uploads and sends them in bursts gains no more than that", () => {
    const { gainMs } = run(links[0], { begin: bursts });
    assert.ok(gainMs <= BASE_MS, `${gainMs} ms`);
    // With the acknowledgements its link looks as unsteady as it makes it.
    const all = run(links[0], { begin: bursts, acks: { delayMs: (now) => 400 - (now % 400) } });
    assert.ok(all.gainMs <= BASE_MS + FEIGNED_MS, `${all.gainMs} ms`);
  });

  it("that sends late on purpose gains as much as a game takes late", () => {
    const { gainMs } = run(links[0], {
      keepsLate: true,
      begin(cheat, network) {
        shift(400)(cheat);
        network.onTick = (tick) => (cheat.burstMs = tick % 60 < 20 ? 240 : 0);
      },
    });
    assert.ok(gainMs > BASE_MS && gainMs <= BASE_MS + LATE_MS, `${gainMs} ms`);
  });

  it("that pretends a slow link in everything it says is treated as if it had that, and no better", () => {
    const { honestMs } = run({ latencyMs: 220 }, {});
    const { reachedMs } = run(links[0], {
      begin: (cheat, network) => lateReceipts(cheat, network, 200, 400),
      acks: { delayMs: () => 200 },
    });
    assert.ok(reachedMs - honestMs <= BASE_MS, `${reachedMs - honestMs} ms`);
  });

  it("that pretends loss in everything it says gets up to the limit of everybody", () => {
    const { reachedMs } = run(links[0], { begin: denial(32, 24), acks: { conceals: (now) => now % 533 > 33 } });
    assert.ok(reachedMs > 400 && reachedMs <= 500.1, `${reachedMs} ms`);
  });
});

/** Whether an alternating link is in its slow half. */
function isSlow(now: number, halfMs: number): boolean {
  return now % (2 * halfMs) < halfMs;
}

/** Uploads wait for up to 400 ms, and say what was longer ago. */
function bursts(cheat: Watcher): void {
  cheat.burstMs = 400;
  shift(400)(cheat);
}

/** Says that of `every` ticks' snapshots it had only one, and that it saw what was `ticks` longer ago. */
function denial(every: number, ticks: number): (cheat: Watcher) => void {
  return (cheat) =>
    doctor(cheat, {
      receipts: (newest) => ({ newest: newest - (newest % every), mask: (1 << (every - 1)) | 0 }),
      stamp(view) {
        view.viewTick = wireTick(view.viewTick - ticks);
      },
    });
}
