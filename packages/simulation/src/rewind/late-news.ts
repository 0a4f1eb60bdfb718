/**
 * What a player's pictures were rewritten by, on the server: where the client had carried entities on and the news came
 * late, what it drew is not where they were. It lets that difference fade (`DrawnDifferences`), and whoever aims, aims at
 * what is drawn. The inputs' stamps tell the pictures before and after such news, so the server can work out the same.
 */
import { halved } from "../math/half-life.ts";
import type { ViewStamp } from "../prediction/input/player-input.ts";
import { copyViewStamp, createViewStamp } from "../prediction/input/player-input.ts";
import type { SentSnapshots } from "./sent-snapshots.ts";
import { ViewResolver } from "./view-resolver.ts";

export interface LateNewsOptions {
  readonly sent: SentSnapshots;
  readonly maxExtrapolationTicks: number;
  /** In which half of a difference fades. 0: there are none. */
  readonly halfLifeTicks: number;
}

/** The same moment of the last picture before the news, as it was drawn and as it would have been drawn with them. */
interface Rewriting {
  readonly before: ViewResolver;
  readonly after: ViewResolver;
  /** View tick of the last picture before the news: where that moment is the same for both. */
  viewTick: number;
}

export class LateNews {
  /** Rewritings that are remembered, the oldest first: `at(0)` to `at(count - 1)`. */
  count = 0;
  readonly #options: LateNewsOptions;
  readonly #ring: readonly Rewriting[];
  #next = 0;
  readonly #last: ViewStamp = createViewStamp();
  readonly #moment: ViewStamp = createViewStamp();

  constructor(options: LateNewsOptions) {
    const { sent, maxExtrapolationTicks } = options;
    this.#options = options;
    this.#ring = Array.from({ length: REMEMBERED }, () => ({
      before: new ViewResolver(sent, maxExtrapolationTicks),
      after: new ViewResolver(sent, maxExtrapolationTicks),
      viewTick: -1,
    }));
  }

  /** The picture of the next input that came in time. */
  note(stamp: Readonly<ViewStamp>): void {
    const last = this.#last;
    const isNews = stamp.snapshotTick > last.snapshotTick && this.#carriedOn(last);
    const isSmooth = stamp.mode === last.mode && stamp.mode !== "none" && stamp.mode !== "step";
    if (!isSmooth) this.count = 0;
    else if (isNews && this.#options.halfLifeTicks > 0 && last.viewTick >= 0) this.#add(stamp);
    copyViewStamp(stamp, last);
  }

  /** How much is left of the difference of `at(i)` in the picture of `viewTick`. */
  weightOf(i: number, viewTick: number): number {
    const age = viewTick - this.at(i).viewTick;
    return age > 0 && age < this.#options.halfLifeTicks * GONE ? halved(age / this.#options.halfLifeTicks) : 0;
  }

  at(i: number): Readonly<Rewriting> {
    return this.#ring[(this.#next - this.count + i + REMEMBERED) % REMEMBERED];
  }

  clear(): void {
    this.count = 0;
    this.#last.viewTick = -1;
  }

  /** Whether anything was carried on in a picture: all, or what was left out of the snapshots for want of room. */
  #carriedOn({ viewTick, snapshotTick }: Readonly<ViewStamp>): boolean {
    if (viewTick > snapshotTick) return true;
    const { sent } = this.#options;
    const number = sent.numberOf(snapshotTick);
    return number >= 0 && sent.oldestRecordTick(number) <= viewTick;
  }

  #add(stamp: Readonly<ViewStamp>): void {
    const last = this.#last;
    const moment = this.#moment;
    const rewriting = this.#ring[this.#next];
    copyViewStamp(stamp, moment);
    moment.viewTick = Math.min(stamp.viewTick, last.viewTick);
    if (!rewriting.before.begin(last) || !rewriting.after.begin(moment)) return;
    rewriting.viewTick = last.viewTick;
    this.#next = (this.#next + 1) % REMEMBERED;
    this.count = Math.min(this.count + 1, REMEMBERED);
  }
}

const REMEMBERED = 32;
/** Half-lives after which nothing is left. */
const GONE = 10;
