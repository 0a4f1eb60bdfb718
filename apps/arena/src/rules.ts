/** The arena's numbers: metres, seconds, metres per second. One place to tune the feel of the game. */

/** Half the side of the square field; coordinates run from -FIELD to FIELD. */
export const FIELD = 50;
export const TICK_RATE = 60;
/** How far a client is told about others. The camera never shows more. */
export const SIGHT_RADIUS = 34;

export const PLAYER_RADIUS = 0.7;
export const MOVE_SPEED = 8.5;
export const ACCELERATION = 80;
export const BRAKING = 55;

export const MAX_HEALTH = 100;
export const MAX_ENERGY = 100;
export const ENERGY_PER_SEC = 22;
/** Health starts to come back after this long without being hit. */
export const CALM_TICKS = 4 * TICK_RATE;
export const HEALTH_PER_SEC = 14;

export const DASH_SPEED = 27;
export const DASH_TICKS = 10;
export const DASH_COOLDOWN_TICKS = 66;
export const DASH_ENERGY = 30;

export const RIFLE_RANGE = 32;
export const RIFLE_DAMAGE = 12;
export const RIFLE_COOLDOWN_TICKS = 8;

export const ORB_SPEED = 17;
export const ORB_RADIUS = 0.35;
export const ORB_DAMAGE = 48;
export const ORB_BLAST_RADIUS = 3;
export const ORB_LIFE_TICKS = 120;
export const ORB_COOLDOWN_TICKS = 42;
export const ORB_ENERGY = 35;

/** Mend: a moment without shooting or being shot, then health comes back for a while. */
export const MEND_CHARGES = 2;
export const MEND_RECHARGE_TICKS = 14 * TICK_RATE;
export const MEND_ENERGY = 20;
export const MEND_CAST_TICKS = TICK_RATE / 2;
export const MEND_TICKS = 1.5 * TICK_RATE;
export const MEND_EVERY_TICKS = TICK_RATE / 4;
export const MEND_HEALTH = 6;

/** Where an orb or a muzzle flash leaves the barrel. */
export const MUZZLE = 1.15;

export const RESPAWN_TICKS = 150;
/** A fresh player cannot be hurt for this long, or until he shoots. */
export const SHIELD_TICKS = 75;
