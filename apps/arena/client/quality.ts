/** Fewer pixels when frames come late, more when there is time: a sharp picture is worth less than a smooth one. */

const SHARES = [0.5, 0.6, 0.75, 1];
const WINDOW_FRAMES = 40;
/** Mean milliseconds a frame above which a step down helps, and below which a step up is tried. */
const SLOW_MS = 24;
const FAST_MS = 17.5;
/** After stepping up and down again it is not tried again for this many windows. */
const PATIENCE = 20;

export class Quality {
  #share: number;
  #fixed = false;
  #frames = 0;
  #sum = 0;
  #patience = 0;

  constructor(share: number) {
    this.#share = share;
  }

  fix(share: number): void {
    this.#fixed = true;
    this.#share = share;
  }

  /** Counts a frame that took `dt` seconds; returns device pixels per CSS pixel to draw with. */
  resolution(dt: number): number {
    this.#frames++;
    this.#sum += dt;
    if (!this.#fixed && this.#frames >= WINDOW_FRAMES) {
      const mean = (this.#sum / this.#frames) * 1000;
      const at = SHARES.indexOf(this.#share);
      this.#patience--;
      if (mean > SLOW_MS && at > 0) {
        this.#share = SHARES[at - 1];
        this.#patience = PATIENCE;
      } else if (mean < FAST_MS && at < SHARES.length - 1 && this.#patience < 0) {
        this.#share = SHARES[at + 1];
      }
      this.#frames = 0;
      this.#sum = 0;
    }
    return Math.min(2, devicePixelRatio) * this.#share;
  }
}

/** Whether the context is drawn by the processor. */
export function isSoftware(gl: WebGL2RenderingContext | null): boolean {
  if (gl === null) return true;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER));
  return /swiftshader|llvmpipe|software|basic render/i.test(name);
}
