/** The browser client: connects, feeds the hands to the session and the session's view to the picture. */
import { connect } from "@riposte/client";
import { AbilityVerdicts, inspectAbilities, predictionResult } from "@riposte/simulation";
import { abilityKit, mendEvents } from "../src/abilities.ts";
import { game } from "../src/game.ts";
import { Blast, Hit, Kill, Launch, Scores } from "../src/messages.ts";
import { writeProfile } from "../src/profile.ts";
import { ORB_BLAST_RADIUS } from "../src/rules.ts";
import { foreseenHitsOf } from "../src/weapons.ts";
import { ArenaHandle } from "./arena-handle.ts";
import type { Spot } from "./debug-draw.ts";
import { element, Hud } from "./hud.ts";
import { Input } from "./input.ts";
import { Minimap } from "./minimap.ts";
import type { DrawnOrb, DrawnPlayer } from "./model.ts";
import { Panel } from "./panel.ts";
import type { LineConditions } from "./panel.ts";
import { Picture } from "./picture.ts";
import { PredictionView } from "./prediction-view.ts";

/** Frames between two updates of the figures, and of the map. */
const FIGURE_FRAMES = 12;
/** Frames between two questions for the last shots. */
const SHOT_FRAMES = 30;
const MAP_FRAMES = 2;
const HINT_SECONDS = 12;
const IDENTITY_KEY = "riposte-arena-identity";
const METRES_TO_CM = 100;

const query = new URLSearchParams(location.search);
const curtain = element("#curtain");

function fail(error: unknown): void {
  curtain.classList.add("failed");
  curtain.classList.remove("open");
  element("#curtain p").textContent = `${error instanceof Error ? error.message : String(error)} Reload to try again.`;
}

async function play(): Promise<void> {
  const name = query.get("name") ?? `Player ${Math.floor(Math.random() * 90 + 10)}`;
  const hue = Math.floor(Math.random() * 180);
  const room = query.get("room");
  const identity = sessionStorage.getItem(IDENTITY_KEY);
  const [picture, session] = await Promise.all([
    Picture.open(element("#stage")),
    connect(game, location.href, {
      userData: writeProfile({ name, hue }),
      ...(room === null ? {} : { room }),
      ...(identity === null ? {} : { identity }),
    }),
  ]);
  if (session.identity !== undefined) sessionStorage.setItem(IDENTITY_KEY, session.identity);

  const hud = new Hud();
  const map = new Minimap();
  const panel = new Panel({
    lineChanged: (line) => session.simulate(conditionsOf(line)),
    mode: session.interpolationMode,
    modeChosen: (mode) => {
      session.interpolationMode = mode;
    },
  });
  const input = new Input(element("#stage"), (code) => {
    if (code === "KeyN") panel.toggle();
    if (code === "KeyM") picture.sound.mute();
  });
  const prediction = new PredictionView(session, picture.camera);
  const handle = new ArenaHandle(session, picture, panel, prediction);
  Object.assign(globalThis, { arena: handle });

  session.onMessage(Kill, (kill) => {
    const mine = kill.killer === session.seat;
    handle.noteKill(kill);
    hud.feed({ ...kill, killer: kill.killerName, victim: kill.victimName, mine });
    if (mine && kill.victim !== session.seat) {
      hud.hitMark(input.cursorX, input.cursorY, true);
      picture.sound.kill();
    }
    if (kill.victim === session.seat) {
      const own = kill.killer === kill.victim;
      hud.announce(own ? "Your own orb" : `Taken out by ${kill.killerName}`, "Back in a moment");
    }
  });
  const hits = foreseenHitsOf(session.world);
  const mark = (): void => hud.hitMark(input.cursorX, input.cursorY, false);
  hits.listener = { predicted: mark, surprised: mark };
  session.onMessage(Hit, (hit) => {
    picture.hit(hit.x, hit.y, hit.damage);
    if (hit.weapon === 0) hits.judge({ tick: hit.tick, hit: { target: hit.victim, hitbox: "body" } });
    else mark();
    picture.debug.rewound(hit.x, hit.y, hit.rewoundX, hit.rewoundY);
  });
  session.onEvent(
    Launch,
    (_, { id }) => picture.launch(id),
    ({ x, y }) => picture.fizzle(x, y),
  );
  session.onEvent(Blast, ({ x, y, shooter }) => picture.blast(x, y, ORB_BLAST_RADIUS, shooter));
  session.onMessage(Scores, (scores) => {
    const ranks = scores.seats.map((seat, i) => ({
      seat,
      name: scores.names[i],
      hue: scores.hues[i],
      kills: scores.kills[i],
      deaths: scores.deaths[i],
    }));
    hud.board(ranks, scores.players, session.seat);
  });
  mendEvents.on(session, ({ kind }) => {
    if (kind === "castStarted") picture.sound.cast();
    if (kind === "effectTicked") picture.sound.mend();
  });
  void session.closed.then((error) => fail(error ?? new Error("The session has ended.")));

  element("#hud").hidden = false;
  curtain.classList.add("open");
  setTimeout(() => element("#hint").classList.add("gone"), HINT_SECONDS * 1000);
  for (const gesture of ["keydown", "pointerdown"]) addEventListener(gesture, () => picture.sound.wake());

  const { view, stats } = session;
  const players: DrawnPlayer[] = [];
  const orbs: DrawnOrb[] = [];
  const ghosts: Spot[] = [];
  let last = performance.now();
  let lastTick = -1;
  let frameMs = 1000 / 60;
  let frames = 0;
  const verdicts = new AbilityVerdicts(abilityKit);
  const verdict = predictionResult(abilityKit);
  let wasAlive = true;
  let mispredictions = 0;
  let shownError = 0;

  const frame = (now: number): void => {
    requestAnimationFrame(frame);
    const dt = Math.min(0.1, Math.max(0.001, (now - last) / 1000));
    last = now;
    frames++;
    frameMs += (dt * 1000 - frameMs) * 0.06;

    const before = view.players.mine;
    const aim =
      before === undefined
        ? 0
        : Math.atan2(
            picture.camera.toWorldY(input.cursorY) - before.y,
            picture.camera.toWorldX(input.cursorX) - before.x,
          );
    session.advance(now, { ...input.read(), aim });
    const tick = Math.ceil(view.predictedTick);
    if (tick !== lastTick) input.spend();
    lastTick = tick;
    hits.advance(tick);

    const own = view.players.mine;
    players.length = orbs.length = ghosts.length = 0;
    for (const player of view.players.all()) {
      players.push(player);
      if (!panel.overlays.ghost || player.health === 0) continue;
      const ghost = view.players.authoritative(player);
      if (ghost !== undefined) ghosts.push({ x: ghost.x, y: ghost.y });
    }
    for (const orb of view.orbs.all()) orbs.push(orb);
    const { cursorX, cursorY } = input;
    picture.draw({ players, orbs, own, ghosts, overlays: panel.overlays, cursorX, cursorY }, dt);
    prediction.draw(panel.overlays.prediction);
    handle.noteFrame(now);

    if (own !== undefined) {
      hud.vitals(own.health, inspectAbilities(abilityKit, own, Math.floor(view.predictedTick)), dt);
      verdicts.update(own, view.predictedTick, view.players.authoritative(own), view.confirmedTick);
      while (verdicts.poll(verdict)) if (verdict.outcome === "rejected") hud.refused(verdict.ability);
      if (own.health > 0 && !wasAlive) hud.announce("", "");
      wasAlive = own.health > 0;
    }
    if (frames % MAP_FRAMES === 0) {
      map.draw(players, session.seat, innerWidth / picture.camera.zoom, innerHeight / picture.camera.zoom);
    }
    if (panel.overlays.shots && frames % SHOT_FRAMES === 0)
      session.debug.shots().then(
        (shots) => (picture.debug.shots = shots),
        // Nobody answers where the debug channel is closed, or the line is.
        () => {},
      );
    if (frames % FIGURE_FRAMES === 0) {
      const { connection } = stats;
      // The last correction, fading: a mistake of a minute ago is no news.
      shownError = stats.game.mispredictions === mispredictions ? shownError * 0.8 : stats.game.predictionError;
      mispredictions = stats.game.mispredictions;
      hud.net({
        ping: connection.rttMs,
        jitter: connection.jitterMs,
        loss: Math.max(connection.lossRate, connection.receiveLossRate) * 100,
        error: shownError * METRES_TO_CM,
        snapshots: stats.snapshotBytesPerSec / 1000,
      });
      panel.figures([
        ["Frames a second", (1000 / frameMs).toFixed(0)],
        ["Carrier", session.carrier === "udp" ? "UDP" : "WebSocket"],
        ["Input buffer", `${stats.game.inputBufferDepth} ticks`],
        ["View delay", `${stats.game.interpolationDelayMs.toFixed(0)} ms`],
        ["Input clock rate", `${((stats.game.inputRate - 1) * 100).toFixed(1)} %`],
        ["Mispredictions", String(stats.game.mispredictions)],
        ["Hits foreseen, true, taken back", `${hits.stats.predicted}, ${hits.stats.confirmed}, ${hits.stats.revoked}`],
        [
          "Traffic down / up",
          `${(stats.bytesReceivedPerSec / 1000).toFixed(1)} / ${(stats.bytesSentPerSec / 1000).toFixed(1)} kB/s`,
        ],
      ]);
    }
  };
  requestAnimationFrame(frame);
}

/** The latency slider is a round trip; conditions are one way. */
function conditionsOf(line: LineConditions): { latencyMs: number; jitterMs: number; lossRate: number } | undefined {
  if (line.latencyMs === 0 && line.jitterMs === 0 && line.lossRate === 0) return undefined;
  return { latencyMs: line.latencyMs / 2, jitterMs: line.jitterMs, lossRate: line.lossRate };
}

play().catch(fail);
