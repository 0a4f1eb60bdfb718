export { PoseHistory } from "./pose-history.ts";
export type { RayHit, SeenBy, SeenPose } from "./seen-by.ts";
export { SENT_SNAPSHOTS, SentSnapshots } from "./sent-snapshots.ts";
export { createDrawnPicture, ViewResolver } from "./view-resolver.ts";
export type { DrawnPicture } from "./view-resolver.ts";
