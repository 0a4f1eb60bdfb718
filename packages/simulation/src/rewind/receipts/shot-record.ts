/** The settings of a shot in a receipt: its weapon, and the numbers that it was judged by. */
import type { ByteReader, ByteWriter } from "@riposte/wire";
import type { Shot } from "../registration/shot.ts";
import { MAX_PELLETS } from "../registration/weapon-kit.ts";
import type { Passage, Weapon } from "../registration/weapon-kit.ts";
import { ReceiptError } from "./receipt-limits.ts";

export function writeShot(shot: Readonly<Shot>, out: ByteWriter): void {
  writeWeapon(shot.weapon, out);
  for (const name of NUMBERS) out.f64(shot[name]);
  out.u8(FLAGS.reduce((bits, name, i) => bits | (Number(shot[name]) << i), 0));
}

/** Throws `ReceiptError`. */
export function readShot(from: ByteReader): Shot {
  const weapon = readWeapon(from);
  const numbers = Object.fromEntries(NUMBERS.map((name) => [name, from.f64()])) as Record<
    (typeof NUMBERS)[number],
    number
  >;
  const bits = from.u8();
  const flags = Object.fromEntries(FLAGS.map((name, i) => [name, ((bits >>> i) & 1) === 1])) as Record<
    (typeof FLAGS)[number],
    boolean
  >;
  if (from.failed) throw new ReceiptError("malformed shot");
  return { weapon, ...numbers, ...flags };
}

function writeWeapon(weapon: Weapon, out: ByteWriter): void {
  out.string(weapon.name);
  out.u8(KINDS.indexOf(weapon.kind));
  for (const name of WEAPON_NUMBERS) out.f64(weapon[name]);
  for (const offset of weapon.muzzle) out.f64(offset);
  out.u8(PASSAGES.indexOf(weapon.self));
  out.u8(PASSAGES.indexOf(weapon.team));
  out.u8(weapon.pellets);
  out.u8(PATTERNS.indexOf(weapon.pattern));
  out.u16(weapon.roundsPerShot);
  out.u8(weapon.layers === undefined ? ALL_LAYERS : weapon.layers.length);
  for (const layer of weapon.layers ?? []) out.string(layer);
}

function readWeapon(from: ByteReader): Weapon {
  const name = from.string(MAX_NAME_BYTES);
  const kind = KINDS[from.u8()];
  const [range, spread, radius, maxTurn] = WEAPON_NUMBERS.map(() => from.f64());
  const muzzle = [from.f64(), from.f64(), from.f64()] as const;
  const self = PASSAGES[from.u8()];
  const team = PASSAGES[from.u8()];
  const pellets = from.u8();
  const pattern = PATTERNS[from.u8()];
  const roundsPerShot = from.u16();
  const layerCount = from.u8();
  const layers =
    layerCount === ALL_LAYERS
      ? undefined
      : Array.from({ length: Math.min(layerCount, MAX_LAYERS) }, () => from.string(MAX_NAME_BYTES));
  const isWhole = kind !== undefined && self !== undefined && team !== undefined && pattern !== undefined;
  if (from.failed || !isWhole || pellets < 1 || pellets > MAX_PELLETS) throw new ReceiptError("malformed weapon");
  // What it cost is not looked at again.
  const spent = { intervalTicks: 0, magazine: 0, ammunition: "" };
  return {
    name,
    kind,
    range,
    spread,
    radius,
    maxTurn,
    muzzle,
    self,
    team,
    pellets,
    pattern,
    roundsPerShot,
    layers,
    ...spent,
  };
}

const KINDS = ["ray", "pellets", "sweep", "melee"] as const;
const PASSAGES: readonly Passage[] = ["pass", "stop", "hit"];
const PATTERNS = ["random", "even"] as const;
const WEAPON_NUMBERS = ["range", "spread", "radius", "maxTurn"] as const;
const NUMBERS = [
  "angle",
  "pitch",
  "lastAngle",
  "lastPitch",
  "tick",
  "nowTick",
  "tickMs",
  "fromX",
  "fromY",
  "fromZ",
  "readyAt",
  "rounds",
  "claimTarget",
] as const;
const FLAGS = ["isFromKnown", "refusesCutViews", "isClaimed", "inPlane"] as const;
const MAX_NAME_BYTES = 255;
const ALL_LAYERS = 255;
const MAX_LAYERS = 16;
