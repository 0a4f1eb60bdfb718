/** What a game asks of prediction beyond its players' own entities. */
import type { States, World } from "../game/world.ts";
import type { StateDefinition } from "../state/index.ts";
import type { Islands } from "./islands/island-set.ts";
import type { PhysicsDefinition } from "./physics.ts";

export interface SharedPrediction {
  /** Entities within this distance of the client's own entity are simulated by it, too. In world units. */
  readonly radius: number;
}

export interface RemotePrediction {
  /** Name of the state whose entities are simulated by their owners' relayed inputs. */
  readonly state: string;
  /** Only those within this distance of the client's own entity. Default: all that the client is told of. */
  readonly radius?: number;
  /** Ticks after which a relayed input counts as neutral, 1 to 8. Default 8. */
  readonly decayTicks?: number;
}

export interface PredictionOptions<S extends States = States> {
  /** Names of states whose entities a client spawns ahead of the server, when its own step says so. */
  readonly spawns?: readonly string[];
  /** By name, states that every client in reach simulates: a ball, a crate. Whoever owns them. */
  readonly shared?: Readonly<Record<string, SharedPrediction>>;
  /** Other players, simulated by their last inputs, which the server relays to those who see them. Default: they are not. */
  readonly remote?: RemotePrediction;
  /** An engine with a hidden state of its own, from `definePhysics`. */
  readonly physics?: PhysicsDefinition;
  /**
   * Tells which predicted rows may influence each other in the next tick, whatever the inputs: then a correction replays
   * only what can have become different. Asked after each predicted tick. Must depend on nothing but the world; joins too
   * much rather than too little. `step` must not read rows that it does not iterate over. Not with `spawns`, `remote` or
   * `physics`. Default: everything is replayed.
   */
  islands?(this: void, world: World<S>, out: Islands): void;
}

/** How one state is predicted. */
export interface TablePrediction {
  readonly spawns: boolean;
  /** Radius, 0: not shared. */
  readonly sharedRadius: number;
  /** Radius, 0: not predicted by relayed inputs. */
  readonly remoteRadius: number;
}

/** Most ticks for which a relayed input counts. */
export const MAX_DECAY_TICKS = 8;

/** Throws `RangeError` for names that are no states, states without a position and values out of range. */
export function tablePredictions(
  options: PredictionOptions,
  states: Readonly<Record<string, StateDefinition>>,
): readonly TablePrediction[] {
  const { spawns = [], shared = {}, remote } = options;
  for (const name of ["spawns", "remote", "physics"] as const)
    if (options.islands !== undefined && options[name] !== undefined)
      throw new RangeError(`prediction.islands cannot be had together with prediction.${name}`);
  for (const name of [...spawns, ...Object.keys(shared), ...(remote === undefined ? [] : [remote.state])])
    if (!Object.hasOwn(states, name)) throw new RangeError(`prediction: there is no state "${name}"`);
  const decayTicks = remote?.decayTicks ?? MAX_DECAY_TICKS;
  if (!(Number.isInteger(decayTicks) && decayTicks >= 1 && decayTicks <= MAX_DECAY_TICKS))
    throw new RangeError(`prediction.remote.decayTicks must be 1 to ${MAX_DECAY_TICKS}, got ${decayTicks}`);
  return Object.entries(states).map(([name, state]) => {
    const sharedRadius = name in shared ? shared[name].radius : 0;
    const remoteRadius = remote?.state === name ? (remote.radius ?? Infinity) : 0;
    if (!(sharedRadius >= 0) || (name in shared && sharedRadius === 0))
      throw new RangeError(`prediction.shared.${name}.radius must be above 0, got ${sharedRadius}`);
    if (!(remoteRadius >= 0) || (remote?.state === name && remoteRadius === 0))
      throw new RangeError(`prediction.remote.radius must be above 0, got ${remoteRadius}`);
    if (sharedRadius + remoteRadius > 0 && state.position.length === 0)
      throw new RangeError(`prediction: state "${name}" has no position to be in reach by`);
    if (spawns.includes(name) && state.capacity + PROVISIONAL_ROWS > 65_536)
      throw new RangeError(
        `prediction.spawns: state "${name}" leaves no room: capacity at most ${65_536 - PROVISIONAL_ROWS}`,
      );
    return { spawns: spawns.includes(name), sharedRadius, remoteRadius };
  });
}

/** Rows of a table that a client may have spawned and not heard of yet. They come behind the server's. */
export const PROVISIONAL_ROWS = 32;
