/** Circles that lie on each other are moved apart, as little as that takes, so that each can be seen and pointed at. */

export interface Circle {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

const ROUNDS = 60;

/** Names stand below circles: above and below each other they need more room. */
const SQUEEZE = 0.62;

/** Where each is now, in the same order. `gap`: between any two, side by side. */
export function spreadCircles(circles: readonly Circle[], gap: number): readonly { x: number; y: number }[] {
  const places = circles.map(({ x, y }) => ({ x, y: y * SQUEEZE }));
  for (let round = 0; round < ROUNDS; round++) {
    let moved = false;
    for (let i = 0; i < circles.length; i++)
      for (let j = i + 1; j < circles.length; j++) {
        const [a, b] = [places[i], places[j]];
        const distance = Math.hypot(b.x - a.x, b.y - a.y);
        const missing = circles[i].radius + circles[j].radius + gap - distance;
        if (missing <= 0.01) continue;
        moved = true;
        // Those in one place part in a direction that depends on their order alone.
        const angle = distance > 1e-6 ? Math.atan2(b.y - a.y, b.x - a.x) : i * 2.4 + j;
        // The larger one moves less.
        const share = circles[j].radius / (circles[i].radius + circles[j].radius);
        a.x -= Math.cos(angle) * missing * share;
        a.y -= Math.sin(angle) * missing * share;
        b.x += Math.cos(angle) * missing * (1 - share);
        b.y += Math.sin(angle) * missing * (1 - share);
      }
    if (!moved) break;
  }
  return places.map(({ x, y }) => ({ x, y: y / SQUEEZE }));
}
