export { bool, entity, enumeration, NO_ENTITY } from "./fields/name-fields.ts";
export { bytes, text } from "./fields/blob-fields.ts";
export type { BlobOptions } from "./fields/blob-fields.ts";
export { capsule, circle, defineState } from "./define-state.ts";
export type {
  CapsuleHitbox,
  CircleHitbox,
  Hitbox,
  PlaceHitbox,
  RewoundFields,
  StateDefinition,
  StateOptions,
} from "./define-state.ts";
export { defineFields, defineInput } from "./define-input.ts";
export type { FieldsDefinition, InputDefinition } from "./define-input.ts";
export type { FieldEntry, LeafEntry, RecordDefinition } from "./definition.ts";
export type {
  AccessOf,
  Audience,
  Blend,
  Column,
  Columns,
  Field,
  FieldAttributes,
  FieldKind,
  FieldOptions,
  Fields,
  Leaf,
  RecordMemory,
  Row,
  RowIdentity,
  RowPrototype,
  StorageOf,
  ValueOf,
  Values,
} from "./fields/field.ts";
export { list } from "./fields/list-field.ts";
export type { BoundedList, ListOptions, ListStorage } from "./fields/list-field.ts";
export { angle, f32, float, int, uint } from "./fields/number-fields.ts";
export type { AngleOptions, FloatOptions, IntegerStorage, IntOptions, UintOptions } from "./fields/number-fields.ts";
export { quaternion } from "./fields/quaternion-field.ts";
export type { Quaternion, QuaternionOptions, QuaternionStorage } from "./fields/quaternion-field.ts";
export { describeSchema, schemaHash } from "./schema-hash.ts";
export { StateTable } from "./state-table.ts";
export type { AnyTable, StateTableOptions } from "./state-table.ts";
export { vec2, vec3 } from "./fields/vector-fields.ts";
export type { Vec2, Vec2Storage, Vec3, Vec3Storage } from "./fields/vector-fields.ts";
export {
  decodeFields,
  decodeRecord,
  encodeFields,
  encodeRecord,
  valuesToWords,
  wordsToValues,
} from "./fields-codec.ts";
export { InterestGrid } from "./snapshots/interest-grid.ts";
export { createSnapshotSample, ReceivedTable } from "./snapshots/received-table.ts";
export type { SnapshotSample } from "./snapshots/received-table.ts";
export { SharedSnapshots } from "./snapshots/shared-snapshots.ts";
export type { SharedSnapshotsOptions } from "./snapshots/shared-snapshots.ts";
export type { PriorityRule } from "./snapshots/priority-rule.ts";
export { SnapshotReceiver } from "./snapshots/snapshot-receiver.ts";
export type { SnapshotReceiverOptions, SnapshotReceiverStats } from "./snapshots/snapshot-receiver.ts";
export { SnapshotStream } from "./snapshots/snapshot-stream.ts";
export type { SnapshotStreamOptions, SnapshotStreamStats } from "./snapshots/snapshot-stream.ts";
export type { TableView } from "./snapshots/table-view.ts";
export type { VisibilityTest } from "./snapshots/visibility.ts";
