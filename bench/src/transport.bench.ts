/**
 * Riposte's transport beside its peers on the loopback interface: 64-byte messages echoed, and reliable messages of
 * 64 KiB one way. Each peer has a server and a client process, bound to a processor each; all take turns in every
 * round, and a figure is the median over rounds. Costs are CPU time (user and system) of both processes.
 * See docs/benchmarks.md.
 */
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bench } from "./bench.ts";
import { twoCores } from "./transport/cores.ts";
import { NativePeers } from "./transport/native-peers.ts";
import { PeerPair } from "./transport/peer-pair.ts";
import type { EchoRound, PeerOptions } from "./transport/peer-pair.ts";

/** Measured; one more goes first and warms up. */
const ROUNDS = 5;
const ROUND_MS = 450;
const FULL_ROUNDS = 15;
const FULL_ROUND_MS = 1500;
const GAME_CLIENTS = 64;
const GAME_WARM_UP_MS = 150;

/** What takes a turn in each round: the figures of one run. */
interface Contest {
  readonly name: string;
  readonly run: (roundMs: number) => Promise<Turn>;
}

interface Turn {
  readonly figures: Readonly<Record<string, number>>;
  readonly echoes: number;
  /** Messages that were given up and replaced. */
  readonly lost: number;
}

interface Outcome {
  /** By figure, one value per round. */
  readonly samples: Readonly<Record<string, number[]>>;
  /** Contests that lost messages. */
  readonly losses: readonly string[];
}

export const bench: Bench = async (note, { full }) => {
  const cores = twoCores();
  if (cores === undefined) note("No taskset or a single processor: processes are not bound, figures vary more.");
  await using native = await NativePeers.create();
  const pairs: PeerPair[] = [];
  const start = async (options: PeerOptions): Promise<PeerPair> => {
    const pair = await PeerPair.start(options, cores);
    pairs.push(pair);
    return pair;
  };
  try {
    const riposte = await start(scripts("riposte"));
    const isNative = riposte.ready.datapath === "native";
    const contests = [...riposteContests(riposte), gameContest(await start(scripts("riposte")))];
    if (isNative) {
      const portable = await start({ ...scripts("riposte"), env: { RIPOSTE_DATAPATH: "portable" } });
      contests.push(echoContest("portable_echo_w256", portable, 256, "unreliable"));
    }
    const ws = await start(scripts("ws"));
    contests.push(echoContest("ws_w1", ws, 1), echoContest("ws_w256", ws, 256), bulkContest("ws_bulk", ws));
    contests.push(echoContest("colyseus_w256", await start(scripts("colyseus")), 256));
    const udp = await native.compile("udp-echo", []);
    const enet = await native.compile("enet-echo", ["-lenet"]);
    if (udp === undefined) note("No C compiler: c_echo_w1 and enet_* are left out (sudo apt-get install gcc libc6-dev).");
    else contests.push(echoContest("c_echo_w1", await start(program(udp)), 1));
    if (enet !== undefined) {
      const pair = await start(program(enet));
      contests.push(echoContest("enet_w1", pair, 1), echoContest("enet_w256", pair, 256));
    } else if (udp !== undefined) note("ENet is missing: enet_* are left out (sudo apt-get install libenet-dev).");

    const rounds = full ? FULL_ROUNDS : ROUNDS;
    const { samples, losses } = await takeTurns(contests, rounds, full ? FULL_ROUND_MS : ROUND_MS, note);
    const medians = Object.fromEntries(Object.entries(samples).map(([key, values]) => [key, median(values)]));
    medians.portable_echo_w256 ??= medians.echo_w256;
    const spreads = Object.fromEntries(Object.entries(samples).map(([key, values]) => [key, spread(values)]));
    return {
      figures: { native: isNative ? 1 : 0, ...medians, ...ratios(medians) },
      targets: {},
      floors: isNative
        ? { echo_w256_by_ws: 10, echo_w256_by_enet: 1, echo_w1_by_enet: 1, bulk_by_ws: 2 }
        : { echo_w256_by_ws: 4 },
      spreads,
      details: [
        `Datapath: ${String(riposte.ready.datapath)}. Medians of ${rounds} rounds; ± is half the distance between quartiles.`,
        ...losses,
      ],
    };
  } finally {
    await Promise.all(pairs.map((pair) => pair.stop()));
  }
};

/** Every contest once, which is thrown away, and then `rounds` times, one after the other. */
async function takeTurns(
  contests: readonly Contest[],
  rounds: number,
  roundMs: number,
  note: (line: string) => void,
): Promise<Outcome> {
  const samples: Record<string, number[]> = {};
  const totals = contests.map(({ name }) => ({ name, echoes: 0, lost: 0 }));
  for (let round = 0; round <= rounds; round++) {
    note(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
    for (const [index, { run }] of contests.entries()) {
      const turn = await run(roundMs);
      if (round === 0) continue;
      for (const [key, value] of Object.entries(turn.figures)) (samples[key] ??= []).push(value);
      totals[index].echoes += turn.echoes;
      totals[index].lost += turn.lost;
    }
  }
  const losses = totals
    .filter(({ lost }) => lost > 0)
    .map(({ name, echoes, lost }) => `${name}: ${lost} messages lost and replaced beside ${echoes} echoes`);
  return { samples, losses };
}

function echoContest(name: string, pair: PeerPair, window: number, mode = ""): Contest {
  return {
    name,
    run: async (roundMs) => {
      const round = await pair.echo(`echo ${window} ${roundMs} ${mode}`);
      return { ...round, figures: { [name]: perCpuSecond(round.echoes, round) } };
    },
  };
}

function bulkContest(name: string, pair: PeerPair): Contest {
  return {
    name,
    run: async (roundMs) => {
      const round = await pair.echo(`bulk ${roundMs}`);
      const megabytes = round.bytes / 1e6;
      const figures = {
        [`${name}_mb_per_sec`]: megabytes / round.seconds,
        [`${name}_mb_per_cpu_sec`]: perCpuSecond(megabytes, round),
      };
      return { ...round, figures };
    },
  };
}

/** A game's pattern: many clients, a packet to and from each in every tick. The clients are there only for their turn. */
function gameContest(pair: PeerPair): Contest {
  return {
    name: `${GAME_CLIENTS} peers`,
    run: async (roundMs) => {
      await pair.askClient(`join ${GAME_CLIENTS}`);
      const { clients } = await pair.askServer("tick on");
      if (clients < GAME_CLIENTS) throw new Error(`only ${clients} clients joined`);
      await wait(GAME_WARM_UP_MS);
      const before = await pair.askServer("cpu");
      await wait(roundMs);
      const after = await pair.askServer("cpu");
      await pair.askServer("tick off");
      await pair.askClient("leave");
      const micros = (after.cpuMicros - before.cpuMicros) / (after.packets - before.packets);
      return { figures: { [`server_us_per_packet_${GAME_CLIENTS}_peers`]: micros }, echoes: 0, lost: 0 };
    },
  };
}

function riposteContests(pair: PeerPair): Contest[] {
  return [
    echoContest("echo_w1", pair, 1, "unreliable"),
    echoContest("echo_w256", pair, 256, "unreliable"),
    echoContest("echo_w256_reliable", pair, 256, "reliable"),
    echoContest("echo_w256_unbatched", pair, 256, "unbatched"),
    bulkContest("bulk", pair),
  ];
}

function ratios(medians: Readonly<Record<string, number>>): Record<string, number> {
  const all = {
    echo_w1_by_ws: medians.echo_w1 / medians.ws_w1,
    echo_w256_by_ws: medians.echo_w256 / medians.ws_w256,
    echo_w256_reliable_by_ws: medians.echo_w256_reliable / medians.ws_w256,
    echo_w256_by_colyseus: medians.echo_w256 / medians.colyseus_w256,
    echo_w1_by_enet: medians.echo_w1 / medians.enet_w1,
    echo_w256_by_enet: medians.echo_w256 / medians.enet_w256,
    bulk_by_ws: medians.bulk_mb_per_cpu_sec / medians.ws_bulk_mb_per_cpu_sec,
  };
  return Object.fromEntries(Object.entries(all).filter(([, ratio]) => !Number.isNaN(ratio)));
}

function perCpuSecond(amount: number, round: EchoRound): number {
  return amount / (round.cpuMicros / 1e6);
}

/** The scripts `<name>-server.ts` and `<name>-client.ts`. */
function scripts(name: string): PeerOptions {
  const script = (role: string): string => fileURLToPath(new URL(`transport/${name}-${role}.ts`, import.meta.url));
  return { server: [process.execPath, script("server")], client: [process.execPath, script("client")] };
}

/** One of the programs in C. */
function program(path: string): PeerOptions {
  return { server: [path, "server"], client: [path, "client"] };
}

function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * fraction;
  const low = Math.floor(at);
  return sorted[low] + (sorted[Math.ceil(at)] - sorted[low]) * (at - low);
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Half the distance between the quartiles, by the median. */
function spread(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);
}
