export { ClockController } from "./clock-controller.ts";
export type { ClockControllerOptions } from "./clock-controller.ts";
export { InputTimeline } from "./input-timeline.ts";
export type { InputTimelineOptions } from "./input-timeline.ts";
export { ViewTimeline } from "./view-timeline.ts";
export type { ViewTimelineOptions } from "./view-timeline.ts";
