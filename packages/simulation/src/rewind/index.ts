export { defineHitboxes, HitboxSet } from "./hitboxes/hitbox-set.ts";
export type {
  BoxOptions,
  CapsuleOptions,
  HitboxExtent,
  HitboxOptions,
  HitboxPose,
  HitboxPoseOptions,
  HullOptions,
  SphereOptions,
} from "./hitboxes/hitbox-set.ts";
export { SnapshotHistory } from "./history/snapshot-history.ts";
export type { AxisPath, SnapshotHistoryOptions, WorldSnapshotEntity } from "./history/snapshot-history.ts";
export { RewindQuery } from "./rewind-query.ts";
export type { Body, BodyQuery } from "./body-query.ts";
export type { QueryFilter } from "./query-filter.ts";
export { CommonTime, RewoundPoses } from "./rewound-poses.ts";
export type { FadingDifferences, RewindView, RewoundPose } from "./rewound-poses.ts";
export { viewShot } from "./receipts/shot-view.ts";
export type { ShotView, ShownEntity, ShownHitbox } from "./receipts/shot-view.ts";
export { PredictedHits } from "./predicted/predicted-hits.ts";
export type {
  HitGuess,
  HitVerdict,
  PredictedHit,
  PredictedHitListener,
  PredictedHitsOptions,
  PredictedHitStats,
} from "./predicted/predicted-hits.ts";
export { ProjectileRewind } from "./projectiles/projectile-rewind.ts";
export type { ProjectileRewindOptions } from "./projectiles/projectile-rewind.ts";
export type { RewindContext } from "./rewind-context.ts";
export type { SeenBy, SeenHit, SeenOptions, SeenPose } from "./seen-by.ts";
export { FairVictims } from "./fairness/fair-victims.ts";
export type { VictimException, VictimExceptions } from "./fairness/fair-victims.ts";
export type { FairnessReport, PlayerFairness } from "./fairness/fairness-report.ts";
export type { FavorChange, FavorTheShooterSettings, LatencyBand, WeaponFavor } from "./fairness/favor-settings.ts";
export { favorAt, FavorTheShooter } from "./fairness/favor-the-shooter.ts";
export { peekersAdvantageMs, peekersAdvantages } from "./fairness/peekers-advantage.ts";
export type { PeekersAdvantage, PlayerDelays } from "./fairness/peekers-advantage.ts";
export { LagCompensationUtils } from "./lag-compensation-utils.ts";
export { isTimestampValid } from "./timestamps/is-timestamp-valid.ts";
export type { TimestampEvidence } from "./timestamps/is-timestamp-valid.ts";
export type { MeasuredLink } from "./timestamps/link-evidence.ts";
export { SENT_SNAPSHOTS, SentSnapshots } from "./sent-snapshots.ts";
export { createDrawnPicture, ViewResolver } from "./view-resolver.ts";
export type { DrawnPicture } from "./view-resolver.ts";
export { ReceiptError } from "./receipts/receipt-limits.ts";
export type { ReceiptCounters, ReceiptOptions, ReceiptSink } from "./receipts/receipt-desk.ts";
export { receiptsIn } from "./receipts/receipts-in.ts";
export { replayReceipt } from "./receipts/replay-receipt.ts";
export type { ReceiptReplay } from "./receipts/replay-receipt.ts";
export { readReceipt } from "./receipts/shot-receipt.ts";
export type { ReceiptShape, ShotReceipt } from "./receipts/shot-receipt.ts";
export type { ReceiptHit, ReceiptVerdict } from "./receipts/verdict-record.ts";
export { HitRegistration } from "./registration/hit-registration.ts";
export type {
  HitAmong,
  RegistrationRules,
  RegistrationWorld,
  RulesByTable,
} from "./registration/registration-rules.ts";
export type { HitRequest } from "./registration/hit-request.ts";
export { HIT_REASONS } from "./registration/hit-validation.ts";
export type { HitOutcome, HitReason, HitValidation, RegisteredHit } from "./registration/hit-validation.ts";
export { LagCompensationStats, REWIND_BUCKETS_MS } from "./registration/lag-compensation-stats.ts";
export type { LagCompensationReport, PlayerHitStats } from "./registration/lag-compensation-stats.ts";
export type { VictimRules } from "./registration/victim-rules.ts";
export { weaponFields } from "./registration/weapon-fields.ts";
export type { WeaponFields } from "./registration/weapon-fields.ts";
export { defineWeapons } from "./registration/weapon-kit.ts";
export type { Passage, Weapon, WeaponKit, WeaponOptions, WeaponsOptions } from "./registration/weapon-kit.ts";
