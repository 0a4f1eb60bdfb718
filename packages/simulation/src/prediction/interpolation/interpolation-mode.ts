/**
 * How a client makes a picture of a remote entity from the updates it has. A client may change it while it runs; the
 * server is told with every input, so that a shot is judged against the picture that was drawn.
 */

/**
 * - "none": the newest update as it is, no delay and no blending.
 * - "step": the older of the two updates around the view.
 * - "linear": a straight line between the two, angles along the shorter arc, rotations normalised.
 * - "hermite": a curve through both that leaves and arrives with the declared velocities; linear where there are none.
 * - "spherical": as linear, but rotations turn at a constant rate.
 * - "extrapolation": the newest update carried on to the present by its velocity, up to a limit.
 */
export type InterpolationMode = (typeof INTERPOLATION_MODES)[number];

/** The place of a mode in this list is its number on the wire. */
export const INTERPOLATION_MODES = ["none", "step", "linear", "hermite", "spherical", "extrapolation"] as const;
