/** Points on a sphere, and what a distance on it means in milliseconds. */
import type { Coordinates } from "./server-node.ts";

const EARTH_RADIUS_KM = 6371;

/** Of a round trip over no distance: access line, server, and what lies between them. */
export const BASE_RTT_MS = 10;
/** Cables are about half as long again as the straight line: 0.01 would be light in glass, there and back. */
export const RTT_MS_PER_KM = 0.015;
/** No round trip is shorter than this. */
export const LIGHT_RTT_MS_PER_KM = 0.01;
/** Of a region of which nobody knows where it is: half-way around the world. */
export const UNKNOWN_RTT_MS: number = estimateRttMs(Math.PI * EARTH_RADIUS_KM);

export type UnitVector = readonly [x: number, y: number, z: number];

/** As far from the origin as fits in "(0, 0)": what databases say when they know nothing, in the Gulf of Guinea. */
const NULL_ISLAND_DEGREES = 0.01;

/** Whether they say where something is: (0, 0), and what is no place on Earth, do not. */
export function isKnown(coordinates: Coordinates | undefined): coordinates is Coordinates {
  if (coordinates === undefined) return false;
  const { latitude, longitude } = coordinates;
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return false;
  return Math.abs(latitude) > NULL_ISLAND_DEGREES || Math.abs(longitude) > NULL_ISLAND_DEGREES;
}

export function unitVector({ latitude, longitude }: Coordinates): UnitVector {
  const phi = (latitude * Math.PI) / 180;
  const lambda = (longitude * Math.PI) / 180;
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)];
}

export function coordinatesOf([x, y, z]: UnitVector): Coordinates {
  return {
    latitude: (Math.atan2(z, Math.hypot(x, y)) * 180) / Math.PI,
    longitude: (Math.atan2(y, x) * 180) / Math.PI,
  };
}

export function distanceKm(a: UnitVector, b: UnitVector): number {
  const cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  return EARTH_RADIUS_KM * Math.acos(Math.max(-1, Math.min(1, cosine)));
}

export function estimateRttMs(km: number): number {
  return BASE_RTT_MS + km * RTT_MS_PER_KM;
}
