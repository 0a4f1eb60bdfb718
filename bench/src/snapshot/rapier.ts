import { registerHooks } from "node:module";

/**
 * Loads `@dimforge/rapier3d-deterministic` in Node. The package is made for bundlers: its imports have no extensions,
 * which are added here, for its own files only. Its types do not resolve either; what the benchmarks use is declared below.
 */

interface Vector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

interface Rotation extends Vector {
  readonly w: number;
}

export interface RigidBody {
  translation(): Vector;
  rotation(): Rotation;
  linvel(): Vector;
  mass(): number;
  isSleeping(): boolean;
  applyImpulse(impulse: Vector, wakeUp: boolean): void;
  applyTorqueImpulse(impulse: Vector, wakeUp: boolean): void;
}

interface RigidBodyDesc {
  setTranslation(x: number, y: number, z: number): RigidBodyDesc;
  setLinearDamping(damping: number): RigidBodyDesc;
  setAngularDamping(damping: number): RigidBodyDesc;
}

interface ColliderDesc {
  setTranslation(x: number, y: number, z: number): ColliderDesc;
  setCollisionGroups(groups: number): ColliderDesc;
  setFriction(friction: number): ColliderDesc;
  setRestitution(restitution: number): ColliderDesc;
  setDensity(density: number): ColliderDesc;
}

export interface Collider {
  readonly handle: number;
  setTranslation(translation: Vector): void;
  setRotation(rotation: Rotation): void;
}

export interface Ray {
  readonly origin: { -readonly [K in keyof Vector]: number };
  readonly dir: { -readonly [K in keyof Vector]: number };
}

export interface World {
  timestep: number;
  step(): void;
  createRigidBody(description: RigidBodyDesc): RigidBody;
  createCollider(description: ColliderDesc, parent?: RigidBody): Collider;
  castRay(
    ray: Ray,
    maxToi: number,
    solid: boolean,
    flags?: number,
    groups?: number,
  ): { readonly collider: Collider } | null;
  free(): void;
}

export interface Rapier {
  readonly World: new (gravity: Vector) => World;
  readonly RigidBodyDesc: { dynamic(): RigidBodyDesc };
  readonly ColliderDesc: {
    cuboid(halfX: number, halfY: number, halfZ: number): ColliderDesc;
    capsule(halfHeight: number, radius: number): ColliderDesc;
  };
  readonly Ray: new (origin: Vector, dir: Vector) => Ray;
}

const PACKAGE = "rapier3d-deterministic";

export async function loadRapier(): Promise<Rapier> {
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!specifier.startsWith(".") || context.parentURL?.includes(PACKAGE) !== true || /\.(js|wasm)$/.test(specifier))
        return nextResolve(specifier, context);
      try {
        return nextResolve(`${specifier}.js`, context);
      } catch {
        return nextResolve(`${specifier}/index.js`, context);
      }
    },
  });
  try {
    const file = import.meta.resolve(`@dimforge/${PACKAGE}/rapier.js`);
    return (await import(file)) as Rapier;
  } finally {
    hooks.deregister();
  }
}
