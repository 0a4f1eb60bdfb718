/** The tables of a game for what else works with its entities: renderers, entity component systems, plain objects. */
export { EcsBridge } from "./ecs-bridge.ts";
export type { EcsBridgeOptions, NumberArrayLike } from "./ecs-bridge.ts";
export type { ColumnPath } from "./column-path.ts";
export { RenderReader } from "./render-reader.ts";
export { RowMirror } from "./row-mirror.ts";
export type { MirrorObject, RowMirrorOptions } from "./row-mirror.ts";
