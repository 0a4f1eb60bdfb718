export { DrawnSight } from "./drawn-sight.ts";
export { PoseHistory } from "./pose-history.ts";
export { rayCapsule, RaySight } from "./ray-sight.ts";
export { RewoundSight } from "./rewound-sight.ts";
export type { StampSource } from "./rewound-sight.ts";
export { TeleportWatch } from "./teleport-watch.ts";
export type { RayHit, SeenBy, SeenPose } from "./seen-by.ts";
