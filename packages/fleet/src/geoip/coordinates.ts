/** Coordinates that a client may have: on the globe, and not where software puts those of whom it knows nothing. */
import type { Coordinates } from "../registry/server-node.ts";

/** Rounded to 4 decimals, some 10 m. `undefined`: not on the globe, or around (0, 0), where is nothing but water for 500 km. */
export function plausibleCoordinates(latitude: number, longitude: number): Coordinates | undefined {
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined;
  if (Math.abs(latitude) < NULL_ISLAND_DEGREES && Math.abs(longitude) < NULL_ISLAND_DEGREES) return undefined;
  return { latitude: Math.round(latitude * 1e4) / 1e4, longitude: Math.round(longitude * 1e4) / 1e4 };
}

const NULL_ISLAND_DEGREES = 1;

/** Along the surface, on a sphere. */
export function distanceKm(a: Coordinates, b: Coordinates): number {
  const latitude = (b.latitude - a.latitude) * RADIANS;
  const longitude = (b.longitude - a.longitude) * RADIANS;
  const h =
    Math.sin(latitude / 2) ** 2 +
    Math.cos(a.latitude * RADIANS) * Math.cos(b.latitude * RADIANS) * Math.sin(longitude / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

const RADIANS = Math.PI / 180;
const EARTH_RADIUS_KM = 6371;
