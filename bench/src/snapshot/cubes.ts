import { Random } from "@riposte/protocol";
import { bool, defineState, float, quaternion, StateTable, vec3 } from "@riposte/simulation";
import type { RigidBody, Rapier, World } from "./rapier.ts";

/**
 * The data set: a large cube that a player pushes through 900 small ones, drawing those near it along, as in Glenn
 * Fiedler's networked physics. The inputs are seeded and the engine is deterministic, so every machine makes the same
 * frames; their hash is pinned. z is up.
 */

export const FRAMES = 2800;
export const CUBES = 901;
const TICK_RATE = 60;
/** Small cubes on a square of this many by as many. */
const SIDE = 30;
const SPACING = 0.9;
const SMALL = 0.2;
const LARGE = 0.75;
/** Frames before the first one: everything comes to rest. */
const WARM_UP = 60;
const BOUND = 32;
const ATTRACTION_RADIUS = 3;

/** 512 levels a metre, 9 bits a component: the challenge's layout, as any game would declare it. */
const coordinate = float({ min: -BOUND, max: BOUND, step: 1 / 512 });
export const Cube = defineState(
  { position: vec3(coordinate), rotation: quaternion({ bits: 9 }), interacting: bool() },
  { capacity: CUBES },
);
type CubeTable = StateTable<(typeof Cube)["fields"]>;

/** The settled records of all cubes, a frame after the other. */
export function makeFrames(rapier: Rapier): Int32Array[] {
  const world = new rapier.World({ x: 0, y: 0, z: -9.81 });
  world.timestep = 1 / TICK_RATE;
  addWalls(rapier, world);
  const bodies = addCubes(rapier, world);
  const table: CubeTable = new StateTable(Cube);
  for (let i = 0; i < CUBES; i++) table.spawn();
  const player = new Player(bodies[0], new Random(2015));
  const frames: Int32Array[] = [];
  for (let frame = -WARM_UP; frame < FRAMES; frame++) {
    if (frame >= 0) {
      player.push();
      for (let i = 1; i < CUBES; i++) table.columns.interacting[i] = player.attract(bodies[i]) ? 1 : 0;
    }
    world.step();
    if (frame >= 0) frames.push(settle(table, bodies));
  }
  world.free();
  return frames;
}

/** FNV-1a over all words: two machines that disagree would compare different data. */
export function hashOf(frames: readonly Int32Array[]): string {
  let hash = 0x811c9dc5;
  for (const words of frames) for (const word of words) hash = Math.imul(hash ^ word, 0x01000193);
  return (hash >>> 0).toString(16);
}

/** Rolls the large cube about, now here, now there, with rests in between. */
class Player {
  readonly #body: RigidBody;
  readonly #random: Random;
  #framesLeft = 0;
  #x = 0;
  #y = 0;

  constructor(body: RigidBody, random: Random) {
    this.#body = body;
    this.#random = random;
  }

  push(): void {
    const { x: atX, y: atY } = this.#body.translation();
    // Back into the field when it is about to leave it.
    const away = Math.max(Math.abs(atX), Math.abs(atY)) > (SIDE * SPACING) / 2;
    if (this.#framesLeft-- <= 0 || (away && atX * this.#x + atY * this.#y > 0)) this.#choose(away, atX, atY);
    const mass = this.#body.mass();
    const { x, y } = this.#body.linvel();
    const strength = (10 * mass) / TICK_RATE;
    if (Math.sqrt(x * x + y * y) < 7)
      this.#body.applyImpulse({ x: this.#x * strength, y: this.#y * strength, z: 0 }, true);
    const torque = (4 * mass) / TICK_RATE;
    this.#body.applyTorqueImpulse({ x: -this.#y * torque, y: this.#x * torque, z: 0 }, true);
  }

  /** Whether the cube is near enough to be drawn along. */
  attract(body: RigidBody): boolean {
    const at = this.#body.translation();
    const { x, y, z } = body.translation();
    const dx = at.x - x;
    const dy = at.y - y;
    const dz = at.z - z;
    const distance = Math.sqrt(dx * dx + dy * dy + dz * dz);
    if (distance > ATTRACTION_RADIUS) return false;
    const strength = (body.mass() * 16) / TICK_RATE / distance;
    body.applyImpulse({ x: dx * strength, y: dy * strength, z: dz * strength }, true);
    return true;
  }

  #choose(away: boolean, x: number, y: number): void {
    const random = this.#random;
    this.#framesLeft = 20 + random.int(60);
    const resting = !away && random.chance(0.15);
    // A direction by two numbers: sines would not be the same on every machine.
    const turnX = random.next() * 2 - 1;
    const turnY = random.next() * 2 - 1;
    const toX = away ? turnX * 4 - x : turnX;
    const toY = away ? turnY * 4 - y : turnY;
    const length = resting ? Infinity : Math.sqrt(toX * toX + toY * toY) + 1e-9;
    this.#x = toX / length;
    this.#y = toY / length;
  }
}

function addWalls(rapier: Rapier, world: World): void {
  const wall = (x: number, y: number, z: number, halfX: number, halfY: number, halfZ: number): void => {
    world.createCollider(rapier.ColliderDesc.cuboid(halfX, halfY, halfZ).setTranslation(x, y, z).setFriction(1));
  };
  wall(0, 0, -1, BOUND, BOUND, 1);
  for (const side of [-1, 1]) {
    wall(side * BOUND, 0, 8, 1, BOUND, 9);
    wall(0, side * BOUND, 8, BOUND, 1, 9);
  }
}

function addCubes(rapier: Rapier, world: World): RigidBody[] {
  const add = (x: number, y: number, half: number): RigidBody => {
    const description = rapier.RigidBodyDesc.dynamic().setTranslation(x, y, half);
    const body = world.createRigidBody(description.setLinearDamping(0.4).setAngularDamping(0.4));
    world.createCollider(rapier.ColliderDesc.cuboid(half, half, half).setFriction(0.7).setRestitution(0.2), body);
    return body;
  };
  const bodies = [add(-((SIDE + 3) * SPACING) / 2, 0, LARGE)];
  for (let i = 0; i < SIDE * SIDE; i++) {
    const x = (Math.floor(i / SIDE) - (SIDE - 1) / 2) * SPACING;
    const y = ((i % SIDE) - (SIDE - 1) / 2) * SPACING;
    bodies.push(add(x, y, SMALL));
  }
  return bodies;
}

function settle(table: CubeTable, bodies: readonly RigidBody[]): Int32Array {
  const { position, rotation } = table.columns;
  for (let i = 0; i < CUBES; i++) {
    const at = bodies[i].translation();
    position.x[i] = at.x;
    position.y[i] = at.y;
    position.z[i] = at.z;
    const turned = bodies[i].rotation();
    rotation.x[i] = turned.x;
    rotation.y[i] = turned.y;
    rotation.z[i] = turned.z;
    rotation.w[i] = turned.w;
  }
  table.settle();
  return table.words.slice(0, CUBES * table.wordCount);
}
