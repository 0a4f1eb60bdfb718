/**
 * Congestion control on a simulated bottleneck (virtual time): each algorithm on links of different rate, round trip,
 * random loss and buffer, alone and with others like itself; fairness over several seeds. `--full` measures all links
 * of docs/congestion.md; by default a few. And what an ACK costs with 1,000 flows.
 */
import { Random } from "@riposte/protocol";
import { BbrCongestionControl, CubicCongestionControl, NewRenoCongestionControl } from "@riposte/protocol/congestion";
import type { AckSample, CongestionControl } from "@riposte/protocol/congestion";
import { FlowSimulator } from "@riposte/testkit/congestion";
import type { Bench } from "./bench.ts";
import { median } from "./statistics.ts";

const PACKET_BYTES = 1200;
const MBIT = 125_000;
/** Links with less than this in the buffer or in a flow's share of the BDP are left out. */
const SMALLEST_PACKETS = 10;
const SEED = 1;
/** Fairness is measured with each of these. */
const FAIRNESS_SEEDS: readonly number[] = [1, 2, 3];
/** Longest that convergence and steps are waited for. */
const GIVEN_UP_SEC = 60;
const ALGORITHMS: Readonly<Record<string, (seed: number) => CongestionControl>> = {
  newReno: () => new NewRenoCongestionControl(),
  cubic: () => new CubicCongestionControl(),
  bbr: (seed) => new BbrCongestionControl({ seed }),
};

interface Link {
  readonly mbit: number;
  readonly rttMs: number;
  readonly loss: number;
  readonly bdps: number;
}

interface Measured {
  readonly algorithm: string;
  readonly link: Link;
  readonly utilisation: number;
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly retransmissions: number;
  /** Of flows that start within the same second. `NOT_MEASURED` where a flow's share would be too small. */
  readonly jain2: Fairness;
  readonly jain8: Fairness;
  /** Of two flows of which one comes 10 s late; `GIVEN_UP_SEC` when convergence took longer. */
  readonly latecomer: { readonly jain: number; readonly convergenceSec: number };
}

interface Fairness {
  readonly median: number;
  readonly worst: number;
}

const NOT_MEASURED: Fairness = { median: NaN, worst: NaN };

export const bench: Bench = async (note, { full }) => {
  const links = (full ? allLinks() : fewLinks()).filter((link) => bufferPackets(link) >= SMALLEST_PACKETS);
  const measured: Measured[] = [];
  for (const link of links) {
    note(`${link.mbit} Mbit/s, ${link.rttMs} ms, ${link.loss * 100} % loss, ${link.bdps} BDP`);
    // Many flows at 100 Mbit/s are most of the work: only without random loss.
    const together = full ? link.mbit < 100 || link.loss === 0 : link.mbit < 100 && link.loss === 0;
    for (const algorithm of Object.keys(ALGORITHMS)) measured.push(measure(algorithm, link, together));
  }
  const figures: Record<string, number> = {};
  for (const algorithm of Object.keys(ALGORITHMS)) {
    const own = measured.filter((row) => row.algorithm === algorithm);
    const clean = own.filter(({ link }) => link.loss === 0);
    const deep = clean.find(({ link }) => link.mbit === 10 && link.rttMs === 150 && link.bdps === 4);
    const shallow = clean.find(({ link }) => link.mbit === 10 && link.rttMs === 150 && link.bdps === 1);
    const step = stepped(algorithm);
    figures[`${algorithm}_utilisation_clean_min`] = Math.min(...clean.map((row) => row.utilisation));
    figures[`${algorithm}_queue_mean_ms_4bdp`] = deep?.meanMs ?? NaN;
    figures[`${algorithm}_queue_p99_ms_4bdp`] = deep?.p99Ms ?? NaN;
    figures[`${algorithm}_retransmission_rate_1bdp`] = shallow?.retransmissions ?? NaN;
    figures[`${algorithm}_jain_2_min`] = least(clean.map((row) => row.jain2.median));
    figures[`${algorithm}_jain_8_min`] = least(clean.map((row) => row.jain8.median));
    figures[`${algorithm}_jain_2_worst`] = least(clean.map((row) => row.jain2.worst));
    figures[`${algorithm}_jain_8_worst`] = least(clean.map((row) => row.jain8.worst));
    figures[`${algorithm}_convergence_s`] = shallow?.latecomer.convergenceSec ?? NaN;
    figures[`${algorithm}_step_up_s`] = step.upSec;
    figures[`${algorithm}_step_down_s`] = step.downSec;
    figures[`${algorithm}_step_down_loss`] = step.downLoss;
  }
  const fastLossy = measured.filter(({ link }) => link.mbit === 100 && link.rttMs === 150 && link.loss === 0.01);
  const cubicRatios = measured.filter((row) => row.algorithm === "cubic" && row.link.loss === 0.01).map(responseRatio);
  figures.cubic_response_ratio_min = least(cubicRatios);
  figures.cubic_response_ratio_max = -least(cubicRatios.map((ratio) => -ratio));
  figures.bbr_utilisation_100mbit_150ms_1loss = least(
    fastLossy.filter((row) => row.algorithm === "bbr").map((row) => row.utilisation),
  );
  figures.bbr_p99_by_cubic_p99_4bdp = deepQueueRatio(measured);
  figures.game_held_ms = gameHeldMs();
  for (const [algorithm, nanoseconds] of ackCosts()) figures[`cc_ns_per_ack_${algorithm}`] = nanoseconds;
  return {
    figures,
    targets: { bbr_p99_by_cubic_p99_4bdp: 1 / 3, cubic_response_ratio_max: 1.3, game_held_ms: 0.001 },
    details: table(measured),
  };
};

function allLinks(): Link[] {
  return [1, 10, 100].flatMap((mbit) =>
    [20, 150].flatMap((rttMs) =>
      [0, 0.001, 0.01, 0.05].flatMap((loss) => [0.5, 1, 4].map((bdps) => ({ mbit, rttMs, loss, bdps }))),
    ),
  );
}

function fewLinks(): Link[] {
  return [
    { mbit: 10, rttMs: 20, loss: 0, bdps: 4 },
    { mbit: 10, rttMs: 150, loss: 0, bdps: 1 },
    { mbit: 10, rttMs: 150, loss: 0, bdps: 4 },
    { mbit: 100, rttMs: 20, loss: 0.01, bdps: 1 },
    { mbit: 100, rttMs: 150, loss: 0, bdps: 1 },
    { mbit: 100, rttMs: 150, loss: 0.01, bdps: 1 },
  ];
}

function bdpBytes({ mbit, rttMs }: Link): number {
  return (mbit * MBIT * rttMs) / 1000;
}

function bufferPackets(link: Link): number {
  return (Math.min(link.bdps, 1) * bdpBytes(link)) / PACKET_BYTES;
}

function simulator(link: Link, seed = SEED): FlowSimulator {
  return new FlowSimulator({
    bytesPerSec: link.mbit * MBIT,
    bufferBytes: link.bdps * bdpBytes(link),
    lossRate: link.loss,
    seed,
  });
}

function measure(algorithm: string, link: Link, together: boolean): Measured {
  const alone = simulator(link);
  alone.addFlow({ congestion: ALGORITHMS[algorithm](SEED), rttMs: link.rttMs });
  alone.run(10_000);
  alone.resetStatistics();
  alone.run(40_000);
  const isRoom = (flows: number): boolean => together && bdpBytes(link) / flows >= SMALLEST_PACKETS * PACKET_BYTES;
  return {
    algorithm,
    link,
    utilisation: alone.utilisation,
    meanMs: alone.link.meanDelayMs,
    p99Ms: alone.link.delayPercentileMs(0.99),
    retransmissions: alone.retransmissionRate,
    jain2: isRoom(2) ? fairness(algorithm, link, 2) : NOT_MEASURED,
    jain8: isRoom(8) ? fairness(algorithm, link, 8) : NOT_MEASURED,
    latecomer: isRoom(2) ? latecomer(algorithm, link) : { jain: NaN, convergenceSec: NaN },
  };
}

/** Equal flows that start within one second: Jain's index from 60 to 90 s, over the seeds. */
function fairness(algorithm: string, link: Link, flows: number): Fairness {
  const indices = FAIRNESS_SEEDS.map((seed) => {
    const shared = simulator(link, seed);
    const starts = new Random(seed);
    for (let i = 0; i < flows; i++) {
      const congestion = ALGORITHMS[algorithm](100 * seed + i);
      shared.addFlow({ congestion, rttMs: link.rttMs, startAt: 1000 * starts.next() });
    }
    shared.run(60_000);
    shared.resetStatistics();
    shared.run(90_000);
    return shared.fairness;
  });
  return { median: median(indices), worst: Math.min(...indices) };
}

/** A second flow comes after 10 s. Jain's index from its 60th second on; when five seconds of both first had 0.9. */
function latecomer(algorithm: string, link: Link): { jain: number; convergenceSec: number } {
  const WINDOW = 10;
  const pair = simulator(link);
  for (let i = 0; i < 2; i++) {
    pair.addFlow({ congestion: ALGORITHMS[algorithm](SEED + i), rttMs: link.rttMs, startAt: 10_000 * i });
  }
  const delivered: [number, number][] = [];
  let convergenceSec = GIVEN_UP_SEC;
  for (let now = 10_000; now <= 70_000; now += 500) {
    pair.run(now);
    const newest: [number, number] = [pair.flows[0].deliveredBytes, pair.flows[1].deliveredBytes];
    const before = delivered.at(-WINDOW);
    delivered.push(newest);
    if (before === undefined || convergenceSec < GIVEN_UP_SEC) continue;
    const [a, b] = [newest[0] - before[0], newest[1] - before[1]];
    if ((a + b) ** 2 / (2 * (a * a + b * b)) >= 0.9) convergenceSec = (now - 10_000) / 1000;
  }
  pair.resetStatistics();
  pair.run(100_000);
  return { jain: pair.fairness, convergenceSec };
}

/**
 * 20 Mbit/s, 50 ms, buffer of 1 BDP; for 20 s a quarter of that, then again the whole. On the way down: until when, in
 * the first ten seconds, quarters of a second lost more than 5 % or used less than 90 %, and what the first five seconds
 * lost. On the way up: how long until a second is used to 90 %.
 */
function stepped(algorithm: string): { upSec: number; downSec: number; downLoss: number } {
  const link: Link = { mbit: 20, rttMs: 50, loss: 0, bdps: 1 };
  const flow = simulator(link);
  flow.addFlow({ congestion: ALGORITHMS[algorithm](SEED), rttMs: link.rttMs });
  flow.run(20_000);
  flow.link.setRate((link.mbit * MBIT) / 4);
  let downSec = 0;
  let lost = 0;
  let sent = 0;
  for (let now = 20_250; now <= 40_000; now += 250) {
    flow.resetStatistics();
    flow.run(now);
    if (now <= 25_000) {
      lost += flow.flows[0].packetsLost;
      sent += flow.flows[0].packetsSent;
    }
    const unsettled = flow.retransmissionRate > 0.05 || flow.utilisation < 0.9;
    if (unsettled && now <= 30_000) downSec = (now - 20_000) / 1000;
  }
  flow.link.setRate(link.mbit * MBIT);
  let upSec = GIVEN_UP_SEC;
  for (let now = 41_000; now <= 100_000 && upSec === GIVEN_UP_SEC; now += 1000) {
    flow.resetStatistics();
    flow.run(now);
    if (flow.utilisation >= 0.9) upSec = (now - 40_000) / 1000;
  }
  return { upSec, downSec, downLoss: lost / sent };
}

/** A game's flow (30 packets of 200 bytes a second) on clean links: the longest that a packet was held back. */
function gameHeldMs(): number {
  let held = 0;
  for (const algorithm of Object.keys(ALGORITHMS)) {
    for (const mbit of [1, 10, 100]) {
      const game = simulator({ mbit, rttMs: 100, loss: 0, bdps: 1 });
      for (const rttMs of [20, 150]) {
        const congestion = ALGORITHMS[algorithm](SEED);
        game.addFlow({ congestion, rttMs, game: { bytes: 200, intervalMs: 1000 / 30 } });
      }
      game.run(60_000);
      held = Math.max(held, ...game.flows.map((flow) => flow.maxHeldMs));
    }
  }
  return held;
}

/** The window that CUBIC had, by what RFC 9438 says: figure 4, and never behind Reno. */
function responseRatio({ link, utilisation }: Measured): number {
  const rttSec = link.rttMs / 1000;
  const curve = ((0.4 * 3.7) / (4 * 0.3)) ** 0.25 * (rttSec / link.loss) ** 0.75;
  const expected = Math.max(curve, Math.sqrt(1.5 / link.loss));
  const most = bdpBytes(link) / PACKET_BYTES;
  return (utilisation * most) / Math.min(expected, most);
}

/** BBR's 99th percentile by CUBIC's on clean links with a buffer of 4 BDP: the worst. */
function deepQueueRatio(measured: readonly Measured[]): number {
  const deep = measured.filter(({ link }) => link.bdps === 4 && link.loss === 0);
  const ratios = deep
    .filter((row) => row.algorithm === "bbr")
    .map((bbr) => {
      const cubic = deep.find((row) => row.algorithm === "cubic" && row.link === bbr.link);
      return cubic === undefined ? 0 : bbr.p99Ms / cubic.p99Ms;
    });
  return Math.max(...ratios);
}

function least(values: readonly number[]): number {
  return Math.min(...values.filter((value) => !Number.isNaN(value)));
}

/** Processor time. Two packets sent, two acknowledged by one frame, a loss now and then; flow by flow, the algorithms by turns. */
function ackCosts(): Map<string, number> {
  const FLOWS = 1000;
  const ACKS = 200;
  const TURNS = 7;
  const costs = new Map(Object.keys(ALGORITHMS).map((algorithm) => [algorithm, [] as number[]]));
  const sample = idleSample();
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [algorithm, nanoseconds] of costs) {
      const flows = Array.from({ length: FLOWS }, (_, index) => ALGORITHMS[algorithm](index));
      const lost = {
        packetNumber: 0,
        bytes: 1200,
        sentBytesInFlight: 48_000,
        lostSinceSentBytes: 1200,
        appLimited: false,
      };
      const start = process.cpuUsage().user;
      for (let i = 1; i <= ACKS; i++) {
        const now = i * 10;
        sample.now = now;
        sample.deliveredBytes = i * 2400;
        sample.priorDeliveredBytes = Math.max(0, i - 5) * 2400;
        for (const flow of flows) {
          flow.onPacketSent(1200, 46_800, now);
          flow.onPacketSent(1200, 48_000, now);
          flow.onPacketAcked(1200, now - 50, 48_000, now);
          flow.onPacketAcked(1200, now - 50, 48_000, now);
          if (i % 100 === 0) {
            flow.onPacketLost(lost);
            flow.onPacketsLost(1200, now - 50, false, now);
          }
          flow.onAckProcessed(sample);
        }
      }
      nanoseconds.push((1000 * (process.cpuUsage().user - start)) / (FLOWS * ACKS));
    }
  }
  return new Map([...costs].map(([algorithm, all]) => [algorithm, median(all)]));
}

function idleSample(): AckSample {
  return {
    now: 0,
    latestRttMs: 50,
    smoothedRttMs: 50,
    minRttMs: 50,
    ackedBytes: 2400,
    lostBytes: 0,
    priorBytesInFlight: 48_000,
    bytesInFlight: 45_600,
    deliveredBytes: 0,
    deliveryRateBytesPerSec: 240_000,
    rttSampled: true,
    priorDeliveredBytes: 0,
    sentBytesInFlight: 48_000,
    lostSinceSentBytes: 0,
    appLimited: false,
  };
}

function fixed(value: number, digits: number): string {
  return Number.isNaN(value) ? "" : value.toFixed(digits);
}

function seconds(value: number): string {
  return value >= GIVEN_UP_SEC ? `> ${GIVEN_UP_SEC}` : fixed(value, 1);
}

/** Median and, in brackets, the worst. */
function both(of: Fairness): string {
  return Number.isNaN(of.median) ? "" : `${fixed(of.median, 3)} (${fixed(of.worst, 3)})`;
}

/** A Markdown table, as it stands in docs/congestion.md. */
function table(measured: readonly Measured[]): string[] {
  return [
    "| Mbit/s | RTT ms | loss % | buffer BDP | algorithm | utilisation % | queue mean ms | p99 ms | lost % | Jain 2 | Jain 8 | Jain late | convergence s |",
    "| --: | --: | --: | --: | :-- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ...measured.map(({ algorithm, link, ...row }) => {
      const cells = [link.mbit, link.rttMs, link.loss * 100, link.bdps, algorithm, fixed(row.utilisation * 100, 1)];
      cells.push(fixed(row.meanMs, 1), fixed(row.p99Ms, 1), fixed(row.retransmissions * 100, 2));
      cells.push(both(row.jain2), both(row.jain8), fixed(row.latecomer.jain, 3), seconds(row.latecomer.convergenceSec));
      return `| ${cells.join(" | ")} |`;
    }),
  ];
}
