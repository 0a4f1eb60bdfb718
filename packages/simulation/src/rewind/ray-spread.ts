/** The cone around many rays from one point: their middle, and how far the farthest is off it. */

export class RaySpread {
  /** The middle, a unit vector, and how far the longest ray goes. */
  x = 0;
  y = 0;
  z = 0;
  length = 0;
  /** How far any ray is from the middle one, at most, up to `length`. */
  width = 0;
  /** Cosine and sine of half the cone's angle. */
  #cos = 1;
  #sin = 0;

  /** Of unit directions, three numbers each. False when there are none. */
  measure(directions: Float64Array, ranges: Float64Array): boolean {
    let x = 0;
    let y = 0;
    let z = 0;
    this.length = 0;
    for (let i = 0; i < ranges.length; i++) {
      x += directions[i * 3];
      y += directions[i * 3 + 1];
      z += directions[i * 3 + 2];
      if (ranges[i] > this.length) this.length = ranges[i];
    }
    if (ranges.length === 0) return false;
    const sum = Math.sqrt(x * x + y * y + z * z);
    // In all directions: no cone narrower than everything.
    this.x = sum > 1e-9 ? x / sum : 1;
    this.y = sum > 1e-9 ? y / sum : 0;
    this.z = sum > 1e-9 ? z / sum : 0;
    let cos = sum > 1e-9 ? 1 : -1;
    for (let i = 0; i < ranges.length; i++) {
      const along = directions[i * 3] * this.x + directions[i * 3 + 1] * this.y + directions[i * 3 + 2] * this.z;
      if (along < cos) cos = along;
    }
    this.#cos = cos < -1 ? -1 : cos;
    this.#sin = Math.sqrt(1 - this.#cos * this.#cos);
    this.width = this.#cos <= 0 ? this.length : this.length * this.#sin;
    return true;
  }

  /** Whether a sphere, seen from the point the rays come from, may meet the cone. */
  meets(x: number, y: number, z: number, radius: number): boolean {
    const squared = x * x + y * y + z * z;
    const far = this.length + radius;
    if (squared > far * far) return false;
    if (this.#cos <= 0 || squared <= radius * radius) return true;
    const along = x * this.x + y * this.y + z * this.z;
    const off = Math.sqrt(Math.max(0, squared - along * along));
    // How far the middle is outside of the cone's side.
    return off * this.#cos - along * this.#sin <= radius;
  }
}
