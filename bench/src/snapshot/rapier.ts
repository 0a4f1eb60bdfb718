import { registerHooks } from "node:module";

/**
 * Loads `@dimforge/rapier3d-deterministic` in Node. The package is made for bundlers: its imports have no extensions,
 * which are added here, for its own files only. Its types do not resolve either; what the scene uses is declared below.
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
  setFriction(friction: number): ColliderDesc;
  setRestitution(restitution: number): ColliderDesc;
  setDensity(density: number): ColliderDesc;
}

export interface World {
  timestep: number;
  step(): void;
  createRigidBody(description: RigidBodyDesc): RigidBody;
  createCollider(description: ColliderDesc, parent?: RigidBody): unknown;
  free(): void;
}

export interface Rapier {
  readonly World: new (gravity: Vector) => World;
  readonly RigidBodyDesc: { dynamic(): RigidBodyDesc };
  readonly ColliderDesc: { cuboid(halfX: number, halfY: number, halfZ: number): ColliderDesc };
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
