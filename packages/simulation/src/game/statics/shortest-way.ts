/**
 * How long the way from one place to another must at least be for a circle among walls: never more than it is, so
 * whoever needed less went through one. Walls are taken a little smaller than a circle's centre may go: boxes that
 * fit into what each shape keeps it out of. The shortest way among boxes goes straight from corner to corner.
 *
 * Work is bounded: among more than 16 walls within reach the answer is the straight line, which accuses nobody.
 */

const MAX_WALLS = 16;
const MAX_NODES = MAX_WALLS * 4 + 2;
const FROM = 0;
const TO = 1;
/** Touching a wall is not crossing it. */
const TOUCH = 1e-7;

export class ShortestWay {
  readonly #nodeX: Float64Array = new Float64Array(MAX_NODES);
  readonly #nodeY: Float64Array = new Float64Array(MAX_NODES);
  readonly #distance: Float64Array = new Float64Array(MAX_NODES);
  readonly #done: Uint8Array = new Uint8Array(MAX_NODES);
  /** minX, minY, maxX, maxY of each wall. */
  readonly #walls: Float64Array = new Float64Array(MAX_WALLS * 4);
  #wallCount = 0;

  /** Begins anew, without walls. */
  clear(): void {
    this.#wallCount = 0;
  }

  /** Adds a box that the circle's centre cannot be in. Returns false when there is no room for it. */
  addWall(minX: number, minY: number, maxX: number, maxY: number): boolean {
    if (this.#wallCount === MAX_WALLS) return false;
    const at = this.#wallCount++ * 4;
    this.#walls[at] = minX;
    this.#walls[at + 1] = minY;
    this.#walls[at + 2] = maxX;
    this.#walls[at + 3] = maxY;
    return true;
  }

  /** Length of the shortest way among the walls; `Infinity` when it is longer than `limit`. */
  find(fromX: number, fromY: number, toX: number, toY: number, limit: number): number {
    const count = this.#placeNodes(fromX, fromY, toX, toY);
    const distance = this.#distance;
    distance.fill(Infinity, 0, count);
    this.#done.fill(0, 0, count);
    distance[FROM] = 0;
    for (;;) {
      const near = this.#nearestOpen(count);
      if (near < 0) return Infinity;
      if (near === TO) return distance[TO];
      this.#done[near] = 1;
      for (let next = 1; next < count; next++) {
        if (this.#done[next] === 1) continue;
        const byX = this.#nodeX[next] - this.#nodeX[near];
        const byY = this.#nodeY[next] - this.#nodeY[near];
        const reached = distance[near] + Math.sqrt(byX * byX + byY * byY);
        if (reached >= distance[next] || reached + this.#straight(next, TO) > limit) continue;
        if (!this.#crosses(near, next)) distance[next] = reached;
      }
    }
  }

  /** The two ends, and every wall's corners that are in no other wall. */
  #placeNodes(fromX: number, fromY: number, toX: number, toY: number): number {
    this.#nodeX[FROM] = fromX;
    this.#nodeY[FROM] = fromY;
    this.#nodeX[TO] = toX;
    this.#nodeY[TO] = toY;
    let count = 2;
    for (let corner = 0; corner < this.#wallCount * 4; corner++) {
      const at = corner & ~3;
      const x = this.#walls[at + ((corner & 1) === 0 ? 0 : 2)];
      const y = this.#walls[at + ((corner & 2) === 0 ? 1 : 3)];
      if (this.#covered(x, y)) continue;
      this.#nodeX[count] = x;
      this.#nodeY[count++] = y;
    }
    return count;
  }

  #covered(x: number, y: number): boolean {
    for (let at = 0; at < this.#wallCount * 4; at += 4) {
      const walls = this.#walls;
      if (x > walls[at] + TOUCH && x < walls[at + 2] - TOUCH && y > walls[at + 1] + TOUCH && y < walls[at + 3] - TOUCH)
        return true;
    }
    return false;
  }

  #nearestOpen(count: number): number {
    let near = -1;
    let least = Infinity;
    for (let i = 0; i < count; i++) {
      if (this.#done[i] === 1 || this.#distance[i] >= least) continue;
      least = this.#distance[i];
      near = i;
    }
    return near;
  }

  #straight(a: number, b: number): number {
    const byX = this.#nodeX[b] - this.#nodeX[a];
    const byY = this.#nodeY[b] - this.#nodeY[a];
    return Math.sqrt(byX * byX + byY * byY);
  }

  /** Whether the straight line between two nodes goes through the inside of a wall. */
  #crosses(a: number, b: number): boolean {
    const x = this.#nodeX[a];
    const y = this.#nodeY[a];
    const byX = this.#nodeX[b] - x;
    const byY = this.#nodeY[b] - y;
    for (let at = 0; at < this.#wallCount * 4; at += 4) {
      let enter = 0;
      let leave = 1;
      for (let axis = 0; axis < 2; axis++) {
        const from = axis === 0 ? x : y;
        const by = axis === 0 ? byX : byY;
        const min = this.#walls[at + axis] + TOUCH;
        const max = this.#walls[at + 2 + axis] - TOUCH;
        if (Math.abs(by) < TOUCH) {
          if (from <= min || from >= max) leave = -1;
          continue;
        }
        const first = (min - from) / by;
        const second = (max - from) / by;
        enter = Math.max(enter, Math.min(first, second));
        leave = Math.min(leave, Math.max(first, second));
      }
      if (enter < leave) return true;
    }
    return false;
  }
}
