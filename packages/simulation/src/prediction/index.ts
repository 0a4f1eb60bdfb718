export { abilityFields } from "./abilities/ability-fields.ts";
export type { AbilityFields, AbilityFieldsOptions } from "./abilities/ability-fields.ts";
export { defineAbilities } from "./abilities/ability-kit.ts";
export type {
  AbilityCost,
  AbilityDefinition,
  AbilityKit,
  EffectDefinition,
  ResourceDefinition,
} from "./abilities/ability-kit.ts";
export type {
  AbilitiesOptions,
  AbilityOptions,
  CancelCause,
  CancelTerms,
  EffectOptions,
  EffectStacking,
  ResourceOptions,
} from "./abilities/ability-options.ts";
export type { AbilityEvent, AbilityEventKind, AbilityEventSink } from "./abilities/ability-events.ts";
export { abilityEvents } from "./abilities/ability-event-set.ts";
export type {
  AbilityEventDefinition,
  AbilityEventSet,
  AbilityEventsOptions,
  AbilityListener,
  EmittingWorld,
  EventPlayer,
  HappenedAbility,
} from "./abilities/ability-event-set.ts";
export { AbilityPredictor } from "./abilities/ability-predictor.ts";
export type { AbilityTable } from "./abilities/ability-columns.ts";
export type { AbilityWorld } from "./abilities/ability-predictor.ts";
export type { AbilityStep } from "./abilities/ability-step.ts";
export { AbilityVerdicts } from "./abilities/ability-verdicts.ts";
export type { AbilityVerdictStats } from "./abilities/ability-verdicts.ts";
export { compareAbilities, inspectAbilities } from "./abilities/inspect-abilities.ts";
export type {
  AbilityDifference,
  AbilityStatus,
  AbilityView,
  EffectStatus,
  LoggedRequest,
} from "./abilities/inspect-abilities.ts";
export { predictionResult } from "./abilities/prediction-result.ts";
export type { AbilityReason, PredictionOutcome, PredictionResult } from "./abilities/prediction-result.ts";
export type { AuthoritativeState, AuthoritativeTable, PredictedState } from "./authoritative-state.ts";
export { ClientPrediction } from "./client-prediction.ts";
export type { PredictionParts, PredictionSource, PredictionStats } from "./client-prediction.ts";
export type { Misprediction, MispredictionListener, MispredictionPlace } from "./state-comparison.ts";
export { CorrectionOffsets } from "./correction-offsets.ts";
export { defineEvent } from "./events/define-event.ts";
export type { EventDefinition, EventOptions } from "./events/define-event.ts";
export type { EventListener, EventStats, PlayedEvent } from "./events/predicted-events.ts";
export { PredictedEvents } from "./events/predicted-events.ts";
export { InputBuffer } from "./input/input-buffer.ts";
export type { InputBufferOptions } from "./input/input-buffer.ts";
export { compressInput, decompressInput, InputCodec } from "./input/input-codec.ts";
export { inputCopies, MAX_COPIES, MIN_COPIES } from "./input/input-copies.ts";
export type { InputCopiesOptions } from "./input/input-copies.ts";
export { ClientPredictionHandler, createInputCounters, LATE_INPUT_MS } from "./input/client-prediction-handler.ts";
export type { InputCounters, InputPolicy } from "./input/client-prediction-handler.ts";
export { InputDecoder, SAMPLED_MESSAGES } from "./input/input-decoder.ts";
export type { InputDecoderStats } from "./input/input-decoder.ts";
export { LeadBank } from "./input/lead-bank.ts";
export type { LeadBankOptions } from "./input/lead-bank.ts";
export { PlayerRecords } from "./input/player-records.ts";
export type { PlayerRecordsOptions, RecordedTick } from "./input/player-records.ts";
export { InputHistory } from "./input/input-history.ts";
export { bitsAt, InputReader, InputSizes, InputWriter } from "./input/input-message.ts";
export type { InputSink } from "./input/input-message.ts";
export { createViewStamp } from "./input/player-input.ts";
export type { PlayerInput, ViewStamp } from "./input/player-input.ts";
export { InterpolationUtils } from "./interpolation/interpolation-utils.ts";
export { PredictionUtils } from "./prediction-utils.ts";
export { StateInterpolator } from "./interpolation/state-interpolator.ts";
export type { UpdatedTable } from "./interpolation/state-interpolator.ts";
export { emptySample, RecordBlend } from "./interpolation/record-blend.ts";
export type { StateSample } from "./interpolation/record-blend.ts";
export { extrapolatedTicks, hermite, speedAfter } from "./interpolation/curve.ts";
export { INTERPOLATION_MODES } from "./interpolation/interpolation-mode.ts";
export type { InterpolationMode } from "./interpolation/interpolation-mode.ts";
export type { MovementBody, MovementWish } from "./movement/movement-body.ts";
export { movementRules } from "./movement/movement-options.ts";
export type { MovementOptions, MovementRules } from "./movement/movement-options.ts";
export type { Islands } from "./islands/island-set.ts";
export type { IslandStats } from "./islands/partial-replay.ts";
export { MovementPredictor } from "./movement/movement-predictor.ts";
export { definePhysics } from "./physics.ts";
export type { Physics, PhysicsAdapter, PhysicsDefinition, PhysicsOptions, PhysicsStats } from "./physics.ts";
export type { PredictionOptions, RemotePrediction, SharedPrediction } from "./prediction-options.ts";
export type { SpawnListener, SpawnStats } from "./spawns/predicted-spawns.ts";
export type { StateHistory } from "./state-history.ts";
export type { VisibleCorrection } from "./visible-correction.ts";
export type { PaceOptions } from "./movement/claim-pace.ts";
export type {
  ClaimFault,
  MovementClaim,
  MovementCounters,
  MovementOutcome,
  MovementVerdict,
} from "./movement/movement-claim.ts";
export { MovementValidator } from "./movement/movement-validator.ts";
export type { MovementValidatorOptions } from "./movement/movement-validator.ts";
export { movementFinding, validateMovement } from "./movement/validate-movement.ts";
export type { MovementAllowance, MovementFault, MovementFinding, MovementPlace } from "./movement/validate-movement.ts";
