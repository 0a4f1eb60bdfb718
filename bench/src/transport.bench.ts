/**
 * Riposte's transport beside its peers on the loopback interface: 64-byte messages echoed, and reliable messages of
 * 64 KiB one way. Each peer has a server and a client process, bound to a processor each; all take turns in every
 * round, and a figure is the median over rounds. Costs are CPU time (user and system) of both processes.
 * See docs/benchmarks.md.
 */
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bench } from "./bench.ts";
import { median, spread } from "./statistics.ts";
import { BURST } from "./transport/datapath-shared.ts";
import { twoCores } from "./transport/cores.ts";
import { NativePeers } from "./transport/native-peers.ts";
import { LonePeer, PeerPair } from "./transport/peer-pair.ts";
import type { EchoPeer, PacketCost, PeerOptions } from "./transport/peer-pair.ts";
import type { EchoResult } from "./transport/echo-window.ts";

/** A turn within a round; a bulk transfer's is twice as long. */
const TURN_MS = 200;
/** First turn of each contest, thrown away. Node's compiler needs it longer than C, and fast paths longest. */
const WARM_UP_MS = 700;
/** On a busy machine a turn by the clock is not enough: a second one follows when the first took less CPU time than this. */
const WARM_UP_CPU_MICROS = 400_000;
const MIN_ROUNDS = 3;
/** No round begins that could not end within this time. */
const BUDGET_MS = 40_000;
const FULL_BUDGET_MS = 180_000;
/** Small tails need more messages, and code that the compiler has been through: the first seconds have its pauses. */
const THREAD_WARM_UP_MS = 2000;
const THREAD_TURN_MS = 4 * TURN_MS;
const GAME_CLIENTS = 64;
const GAME_WARM_UP_MS = 100;

/** What takes a turn in each round: the figures of one run. */
interface Contest {
  readonly name: string;
  readonly warmUpMs: number;
  readonly turnMs: number;
  readonly run: (durationMs: number) => Promise<Turn>;
}

interface Turn {
  readonly figures: Readonly<Record<string, number>>;
  readonly echoes: number;
  readonly cpuMicros: number;
  /** Messages that were given up and replaced. */
  readonly lost: number;
}

interface Outcome {
  /** By figure, one value per round. */
  readonly samples: Readonly<Record<string, number[]>>;
  readonly rounds: number;
  /** Contests that lost messages. */
  readonly losses: readonly string[];
}

export const bench: Bench = async (note, { full }) => {
  const deadline = performance.now() + (full ? FULL_BUDGET_MS : BUDGET_MS);
  const cores = twoCores();
  if (cores === undefined) note("No taskset or a single processor: processes are not bound, figures vary more.");
  await using native = await NativePeers.create();
  const peers: EchoPeer[] = [];
  const start = async (options: PeerOptions): Promise<PeerPair> => {
    const pair = await PeerPair.start(options, cores);
    peers.push(pair);
    return pair;
  };
  const startFree = async (options: PeerOptions): Promise<PeerPair> => {
    const pair = await PeerPair.start(options, undefined);
    peers.push(pair);
    return pair;
  };
  try {
    const riposte = await start(scripts("riposte"));
    const isNative = riposte.ready.datapath === "native";
    // The system places the threads of these two: that they do not share a processor is what is measured.
    const threaded = await startFree({ ...scripts("riposte"), server: command("riposte-server", "thread") });
    const inline = await startFree(scripts("riposte"));
    const contests = [
      ackDelayContest("network thread", threaded, THREAD_WARM_UP_MS, THREAD_TURN_MS),
      ackDelayContest("game thread", inline, WARM_UP_MS / 2, TURN_MS),
      echoContest("thread_echo_w256", threaded, 256, "unreliable"),
      ...riposteContests(riposte),
      gameContest(await start(scripts("riposte"))),
      ...wsContests("ws", await start(scripts("ws"))),
      ...wsContests("wss", await start(scripts("ws", "tls"))).filter(({ name }) => name !== "wss_w1"),
      echoContest("colyseus_w256", await start(scripts("colyseus")), 256),
      datapathContest(await start(scripts("datapath"))),
    ];
    if (isNative) {
      const portable = await start({ ...scripts("riposte"), env: { RIPOSTE_DATAPATH: "portable" } });
      contests.push(echoContest("portable_echo_w256", portable, 256, "unreliable"));
    }
    contests.push(...(await nativeContests(native, start, note)));
    if (full) {
      const memory = await LonePeer.start(command("memory-client"), cores?.[1]);
      peers.push(memory);
      contests.push(...memoryContests(memory));
    }

    const { samples, rounds, losses } = await takeTurns(contests, deadline, note);
    const medians = Object.fromEntries(Object.entries(samples).map(([key, values]) => [key, median(values)]));
    Object.assign(medians, await ackDelays(threaded, ""), await ackDelays(inline, "_inline"));
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
        `Datapath: ${String(riposte.ready.datapath)}. Medians of ${rounds} rounds; ± is half the distance of the quartiles.`,
        ...losses,
      ],
    };
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
};

/** Every contest once or twice, which is thrown away, and then round after round while there is time. */
async function takeTurns(
  contests: readonly Contest[],
  deadline: number,
  note: (line: string) => void,
): Promise<Outcome> {
  const samples: Record<string, number[]> = {};
  const totals = contests.map(({ name }) => ({ name, echoes: 0, lost: 0 }));
  note("warming up");
  for (const { run, warmUpMs } of contests) {
    const { cpuMicros } = await run(warmUpMs);
    if (warmUpMs === WARM_UP_MS && cpuMicros < WARM_UP_CPU_MICROS) await run(warmUpMs);
  }
  let rounds = 0;
  let longestMs = 0;
  while (rounds < MIN_ROUNDS || performance.now() + longestMs < deadline) {
    note(`round ${++rounds}`);
    const startedAt = performance.now();
    for (const [index, { run, turnMs }] of contests.entries()) {
      const turn = await run(turnMs);
      for (const [key, value] of Object.entries(turn.figures)) (samples[key] ??= []).push(value);
      totals[index].echoes += turn.echoes;
      totals[index].lost += turn.lost;
    }
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  }
  const losses = totals
    .filter(({ lost }) => lost > 0)
    .map(({ name, echoes, lost }) => `${name}: ${lost} messages lost and replaced beside ${echoes} echoes`);
  return { samples, rounds, losses };
}

function echoContest(name: string, peer: EchoPeer, window: number, mode = "", warmUpMs = WARM_UP_MS): Contest {
  return {
    name,
    warmUpMs,
    turnMs: TURN_MS,
    run: async (durationMs) => {
      const round = await peer.echo(`echo ${window} ${durationMs} ${mode}`);
      return { ...round, figures: { [name]: perCpuSecond(round.echoes, round) } };
    },
  };
}

function bulkContest(name: string, peer: EchoPeer): Contest {
  return {
    name,
    warmUpMs: WARM_UP_MS,
    turnMs: 2 * TURN_MS,
    run: async (durationMs) => {
      const round = await peer.echo(`bulk ${durationMs}`);
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
    warmUpMs: WARM_UP_MS / 2,
    turnMs: TURN_MS,
    run: async (durationMs) => {
      await pair.askClient(`join ${GAME_CLIENTS}`);
      const { clients } = await pair.askServer("tick on");
      if (clients < GAME_CLIENTS) throw new Error(`only ${clients} clients joined`);
      await wait(GAME_WARM_UP_MS);
      const before = await pair.askServer("cpu");
      await wait(durationMs);
      const after = await pair.askServer("cpu");
      await pair.askServer("tick off");
      await pair.askClient("leave");
      const figures = { [`server_us_per_packet_${GAME_CLIENTS}_peers`]: microsPerPacket(before, after) };
      return { figures, echoes: 0, lost: 0, cpuMicros: after.cpuMicros - before.cpuMicros };
    },
  };
}

/** Acknowledgements while the server's game blocks its thread 30 ms in every 50; `ackDelays` tells of all turns together. */
function ackDelayContest(name: string, pair: PeerPair, warmUpMs: number, turnMs: number): Contest {
  let warm = false;
  return {
    name: `acknowledgements, ${name}`,
    warmUpMs,
    turnMs,
    run: async (durationMs) => {
      await pair.askServer("block on");
      await pair.askClient(`ackDelay measure ${durationMs}`);
      await pair.askServer("block off");
      if (!warm) await pair.askClient("ackDelay reset");
      warm = true;
      return { figures: {}, echoes: 0, lost: 0, cpuMicros: 0 };
    },
  };
}

async function ackDelays(pair: PeerPair, suffix: string): Promise<Record<string, number>> {
  const { p50Ms, p99Ms } = (await pair.askClient("ackDelay quantiles")) as { p50Ms: number; p99Ms: number };
  return { [`ack_delay_p50_ms${suffix}`]: p50Ms, [`ack_delay_p99_ms${suffix}`]: p99Ms };
}

/** The datapath by itself: bursts to one peer on a socket, and the cipher. */
function datapathContest(pair: PeerPair): Contest {
  return {
    name: "datapath",
    warmUpMs: WARM_UP_MS / 2,
    turnMs: TURN_MS,
    run: async (durationMs) => {
      const one = await singlePackets(pair, durationMs);
      await pair.askServer(`expect ${BURST}`);
      const before = await pair.askServer("cpu");
      const sent = (await pair.askClient(`send ${durationMs}`)) as unknown as PacketCost;
      const after = await pair.askServer("cpu");
      const figures = {
        send_us_per_packet: sent.cpuMicros / sent.packets,
        recv_us_per_packet: microsPerPacket(before, after),
        datapath_echo_w1: one,
        seal_us_64: await sealMicros(pair, "64 aes"),
        seal_us_1200: await sealMicros(pair, "1200 aes"),
        seal_us_64_chacha20: await sealMicros(pair, "64 chacha20"),
        seal_us_1200_chacha20: await sealMicros(pair, "1200 chacha20"),
      };
      return { figures, echoes: 0, lost: 0, cpuMicros: sent.cpuMicros };
    },
  };
}

/** Echoes per CPU-second of the datapath alone, one packet at a time: what any program on Node's event loop costs. */
async function singlePackets(pair: PeerPair, durationMs: number): Promise<number> {
  await pair.askServer("expect 1");
  const before = await pair.askServer("cpu");
  const sent = (await pair.askClient(`single ${durationMs}`)) as unknown as PacketCost;
  const after = await pair.askServer("cpu");
  return (after.packets - before.packets) / ((sent.cpuMicros + after.cpuMicros - before.cpuMicros) / 1e6);
}

async function sealMicros(pair: PeerPair, words: string): Promise<number> {
  const sealed = (await pair.askClient(`seal ${words}`)) as unknown as PacketCost;
  return sealed.cpuMicros / sealed.packets;
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

/** Everything above the datapath, in one process. */
function memoryContests(peer: EchoPeer): Contest[] {
  return [
    echoContest("memory_echo_w1", peer, 1, "unreliable"),
    echoContest("memory_echo_w256", peer, 256, "unreliable"),
    bulkContest("memory_bulk", peer),
  ];
}

function wsContests(name: string, pair: PeerPair): Contest[] {
  return [
    echoContest(`${name}_w1`, pair, 1),
    echoContest(`${name}_w256`, pair, 256),
    bulkContest(`${name}_bulk`, pair),
  ];
}

/** The programs in C, as far as this machine can compile them. */
async function nativeContests(
  native: NativePeers,
  start: (options: PeerOptions) => Promise<PeerPair>,
  note: (line: string) => void,
): Promise<Contest[]> {
  const udp = await native.compile("udp-echo", []);
  if (udp === undefined) {
    note("There is no C compiler: c_echo_w1 and enet_* are left out (sudo apt-get install gcc libc6-dev libenet-dev).");
    return [];
  }
  const contests = [echoContest("c_echo_w1", await start(program(udp)), 1, "", TURN_MS)];
  const enet = await native.compile("enet-echo", ["-lenet"]);
  if (enet === undefined) note("ENet is missing: enet_* are left out (sudo apt-get install libenet-dev).");
  else {
    const pair = await start(program(enet));
    contests.push(echoContest("enet_w1", pair, 1, "", TURN_MS), echoContest("enet_w256", pair, 256, "", TURN_MS));
  }
  return contests;
}

function ratios(medians: Readonly<Record<string, number>>): Record<string, number> {
  const all = {
    echo_w1_by_ws: medians.echo_w1 / medians.ws_w1,
    echo_w256_by_ws: medians.echo_w256 / medians.ws_w256,
    echo_w256_reliable_by_ws: medians.echo_w256_reliable / medians.ws_w256,
    echo_w256_by_colyseus: medians.echo_w256 / medians.colyseus_w256,
    echo_w1_by_enet: medians.echo_w1 / medians.enet_w1,
    echo_w256_by_enet: medians.echo_w256 / medians.enet_w256,
    echo_w256_by_wss: medians.echo_w256 / medians.wss_w256,
    bulk_by_ws: medians.bulk_mb_per_cpu_sec / medians.ws_bulk_mb_per_cpu_sec,
    bulk_by_wss: medians.bulk_mb_per_cpu_sec / medians.wss_bulk_mb_per_cpu_sec,
  };
  return Object.fromEntries(Object.entries(all).filter(([, ratio]) => !Number.isNaN(ratio)));
}

function perCpuSecond(amount: number, round: EchoResult): number {
  return amount / (round.cpuMicros / 1e6);
}

function microsPerPacket(before: PacketCost, after: PacketCost): number {
  return (after.cpuMicros - before.cpuMicros) / (after.packets - before.packets);
}

/** The scripts `<name>-server.ts` and `<name>-client.ts`. */
function scripts(name: string, ...words: string[]): PeerOptions {
  return { server: command(`${name}-server`, ...words), client: command(`${name}-client`, ...words) };
}

function command(script: string, ...words: string[]): string[] {
  return [process.execPath, fileURLToPath(new URL(`transport/${script}.ts`, import.meta.url)), ...words];
}

/** One of the programs in C. */
function program(path: string): PeerOptions {
  return { server: [path, "server"], client: [path, "client"] };
}
