export { PoseHistory } from "./pose-history.ts";
export type { RayHit, SeenBy, SeenPose } from "./seen-by.ts";
