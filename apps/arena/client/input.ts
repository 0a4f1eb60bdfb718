/** Keyboard, mouse and touch, read once a frame. */
import type { Wish } from "../src/states.ts";

/** What the hands want now. Presses shorter than a frame are not lost: they stay until `read`. */
export type Hands = Omit<Wish, "aim">;

type Action = keyof Hands;

/** By key or mouse button. */
const ACTIONS: Readonly<Record<string, Action>> = {
  KeyW: "up",
  ArrowUp: "up",
  KeyS: "down",
  ArrowDown: "down",
  KeyA: "left",
  ArrowLeft: "left",
  KeyD: "right",
  ArrowRight: "right",
  Space: "dash",
  ShiftLeft: "dash",
  ShiftRight: "dash",
  KeyE: "orb",
  KeyQ: "mend",
  Mouse2: "orb",
  KeyF: "fire",
  Mouse0: "fire",
};

export class Input {
  /** The cursor in window pixels. */
  cursorX = innerWidth / 2;
  cursorY = innerHeight / 2;
  readonly #held = new Set<string>();
  readonly #tapped = new Set<Action>();
  readonly #pressed: (code: string) => void;

  /** `pressed` hears of every other key, for the interface. */
  constructor(stage: HTMLElement, pressed: (code: string) => void) {
    this.#pressed = pressed;
    addEventListener("keydown", (event) => this.#keyDown(event));
    addEventListener("keyup", (event) => this.#held.delete(event.code));
    addEventListener("blur", () => this.#held.clear());
    addEventListener("pointermove", (event) => this.#point(event));
    stage.addEventListener("pointerdown", (event) => {
      this.#point(event);
      const button = `Mouse${event.button}`;
      const action = ACTIONS[button];
      if (action !== undefined) this.#press(button, action);
    });
    addEventListener("pointerup", (event) => this.#held.delete(`Mouse${event.button}`));
    addEventListener("contextmenu", (event) => event.preventDefault());
  }

  read(): Hands {
    const wanted = new Set(this.#tapped);
    for (const code of this.#held) wanted.add(ACTIONS[code]);
    return {
      up: wanted.has("up"),
      down: wanted.has("down"),
      left: wanted.has("left"),
      right: wanted.has("right"),
      fire: wanted.has("fire"),
      orb: wanted.has("orb"),
      dash: wanted.has("dash"),
      mend: wanted.has("mend"),
    };
  }

  /** The taps were given to a tick: forget them. */
  spend(): void {
    this.#tapped.clear();
  }

  #keyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement && event.target.type === "text") return;
    const action = ACTIONS[event.code];
    if (action === undefined) {
      if (!event.repeat) this.#pressed(event.code);
      return;
    }
    event.preventDefault();
    if (!event.repeat) this.#press(event.code, action);
  }

  #press(code: string, action: Action): void {
    this.#held.add(code);
    this.#tapped.add(action);
  }

  #point(event: PointerEvent): void {
    this.cursorX = event.clientX;
    this.cursorY = event.clientY;
  }
}
