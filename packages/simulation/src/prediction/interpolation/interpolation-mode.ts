/**
 * How a client makes a picture of a remote entity from the updates it has. A client may change it while it runs; the
 * server is told with every input, so that a shot is judged against the picture that was drawn.
 */

/**
 * - "none": the newest update as it is, no delay and no blending. The view is at the tick of the newest snapshot.
 * - "step": the older of the two updates around the view.
 * - "linear": what the fields declare: a straight line between the two, angles along the shorter arc, rotations by a
 *   normalised mix. The default.
 * - "hermite": a curve through both that leaves and arrives with the speeds that the field's `velocity` names, estimated
 *   from the updates before where the viewer is not told them; fields without a `velocity` and rotations as in "spherical".
 * - "spherical": as linear, but rotations turn at a constant rate.
 * - "extrapolation": as hermite, but the view is at the present: the newest update is carried on by its velocity.
 * - "ahead": as extrapolation, but the view is beyond the news, towards the server's tick in which the next input is judged.
 *
 * Where the next update is late all but the first two go on for a while and slow down to a stop: see `extrapolatedTicks`.
 */
export type InterpolationMode = (typeof INTERPOLATION_MODES)[number];

/** The place of a mode in this list is its number on the wire. */
export const INTERPOLATION_MODES = [
  "none",
  "step",
  "linear",
  "hermite",
  "spherical",
  "extrapolation",
  "ahead",
] as const;

/** Whether what has a velocity is drawn along a curve. */
export function isCurvedMode(mode: InterpolationMode): boolean {
  return mode === "hermite" || mode === "extrapolation" || mode === "ahead";
}

/** The ticks after which an entity without news stands: `ticks`, or twice as many where the view is ahead of the news anyway. */
export function extrapolationLimit(mode: InterpolationMode, ticks: number): number {
  return mode === "ahead" ? ticks * 2 : ticks;
}

/** The number of a mode on the wire. */
export function modeNumber(mode: InterpolationMode): number {
  return mode === "linear" ? LINEAR : INTERPOLATION_MODES.indexOf(mode);
}

/** What nearly every client has all the time. */
const LINEAR: number = INTERPOLATION_MODES.indexOf("linear");
