export { AssessedSource } from './audit/assessed-source.js';
export type { AssessedSourceOptions, AssessmentEvent } from './audit/assessed-source.js';
export type { BatteryJob, BatteryProgress, BatteryResults } from './audit/battery-job.js';
export { BatteryThread } from './audit/battery-thread.js';
export type { BatteryThreadOptions } from './audit/battery-thread.js';
export { SampleAudit } from './audit/sample-audit.js';
export type { SampleAuditOptions } from './audit/sample-audit.js';
export { DetectorMonitor } from './detector/detector-monitor.js';
export type { FalseAlarmBits } from './detector/detector-monitor.js';
export { DetectorSource, describeDetector } from './detector/detector-source.js';
export type { DetectorSourceOptions } from './detector/detector-source.js';
export type { Defect, Fault } from './detector/fault.js';
export { ARRIVAL_TIME_SETUP, BEAM_SPLITTER_SETUP } from './detector/parameters.js';
export type { DetectorParameters, DetectorSetup, Digitisation, Pair } from './detector/parameters.js';
export { SimulatedDetector } from './detector/simulated-detector.js';
export type { SimulatedBlock } from './detector/simulated-detector.js';
export { claimedMinEntropy, sampleBits, trueMinEntropy } from './detector/true-entropy.js';
export * from './device.js';
export { CtrDrbg } from './drbg/ctr-drbg.js';
export type { FullEntropySeed } from './drbg/ctr-drbg.js';
export { DRBG_MAX_INPUT_BYTES, DRBG_MAX_REQUEST_BYTES, DRBG_MAX_RESEED_INTERVAL } from './drbg/drbg.js';
export type { Drbg, DrbgSeed } from './drbg/drbg.js';
export { HashDrbg } from './drbg/hash-drbg.js';
export { HmacDrbg } from './drbg/hmac-drbg.js';
export { SEED_ENTROPY_BITS, condition } from './extract/conditioner.js';
export type { ConditionerPart } from './extract/conditioner.js';
export { leftoverHashBits } from './extract/leftover-hash.js';
export { outputEntropy } from './extract/output-entropy.js';
export type { ConditionedEntropy, ConditioningComponent } from './extract/output-entropy.js';
export { TOEPLITZ_BLOCKS_PER_SEED, Toeplitz } from './extract/toeplitz.js';
export type { ToeplitzOptions } from './extract/toeplitz.js';
export { BufferGate } from './gate/buffer-gate.js';
export type { BufferGateOptions, GateStatement, GateVerdict } from './gate/buffer-gate.js';
export { UNIFORM_GATE_TESTS } from './gate/gate-tests.js';
export type { GateTest } from './gate/gate-tests.js';
export { RollingAggregate } from './gate/rolling-aggregate.js';
export type { Aggregate, RollingAggregateOptions } from './gate/rolling-aggregate.js';
export { WatchedGate } from './gate/watched-gate.js';
export type { GateWatch, WatchedGateOptions } from './gate/watched-gate.js';
export { AdaptiveProportion } from './health/adaptive-proportion.js';
export { ContextPredictor } from './health/context-predictor.js';
export { proportionCutoff, repetitionCutoff } from './health/cutoffs.js';
export { DuplicateBlocks } from './health/duplicate-blocks.js';
export { HealthSuite } from './health/health-suite.js';
export type { Alarm, HealthTest } from './health/health-test.js';
export { LagPredictor } from './health/lag-predictor.js';
export { RepetitionCount } from './health/repetition-count.js';
export { RollingMinEntropy } from './health/rolling-min-entropy.js';
export type { DrawRandom } from './feed/draw-random.js';
export { feedFifo } from './feed/fifo-feed.js';
export type { FifoFeedOptions } from './feed/fifo-feed.js';
export { feedKernel } from './feed/kernel-feed.js';
export type { KernelFed, KernelFeedOptions } from './feed/kernel-feed.js';
export { SourcePipeline } from './pipeline/source-pipeline.js';
export type { ExtractedBlock, PipelineEvent, PipelineStatus } from './pipeline/source-pipeline.js';
export type {
  Assessed,
  OutputChecked,
  OutputGate,
  PipelineOptions,
  WindowAudit,
} from './pipeline/pipeline-options.js';
export { ByteNoise, MAX_READ_SAMPLES } from './source/byte-noise.js';
export type { ByteFeed, ByteNoiseOptions } from './source/byte-noise.js';
export type { SourceClock, SourceTimer } from './source/clock.js';
export type {
  Clicks,
  NoiseBlock,
  NoiseSource,
  SourceDescription,
  SourceKind,
} from './source/noise-source.js';
export { openSource } from './source/open-source.js';
export type { SourceSurroundings, Upstream } from './source/open-source.js';
export type { SourceConfig } from './source/source-config.js';
export { osNoise } from './source/os-noise.js';
export { pkcs11Source } from './source/pkcs11.js';
export type { Pkcs11SourceOptions } from './source/pkcs11.js';
export { serialSource } from './source/serial.js';
export type { SerialSourceOptions } from './source/serial.js';
export { tpmSource } from './source/tpm.js';
export type { TpmSourceOptions } from './source/tpm.js';
export { fileSource } from './source/file-source.js';
export type { FileSourceOptions } from './source/file-source.js';
export { readRetryAfter } from './source/http/connection.js';
export type { HttpCall, HttpCredentials, HttpRequest } from './source/http/connection.js';
export { httpSource } from './source/http/http-source.js';
export type { HttpSourceOptions } from './source/http/http-source.js';
export { httpProfile } from './source/http/profile.js';
export type { HttpProfile, HttpProfileOptions } from './source/http/profile.js';
export { streamSource } from './source/stream-source.js';
export type { StreamAddress, StreamSourceOptions } from './source/stream-source.js';
export { batteriesHere, examineOutput, examineSource } from './report/evidence.js';
export type { Batteries, HealthEvidence, OutputEvidence, Sample, SourceEvidence } from './report/evidence.js';
export { collectExtracted, collectRestarts, collectSamples } from './report/collection.js';
export type { CollectionOptions } from './report/collection.js';
export { ESV_SAMPLES, RESTARTS, esvMetadata } from './report/esv-metadata.js';
export { FIRST_PREVIOUS, REPORT_FORMAT, reportHash, signReport, signerFingerprint } from './report/report.js';
export type { Report, SignedReport } from './report/report.js';
export { parseReport } from './report/report-text.js';
export { asReport, verifyReport } from './report/verify-report.js';
export type { Expectations, Verification } from './report/verify-report.js';
export { DrbgTier } from './tier/drbg-tier.js';
export { FullTier } from './tier/full-tier.js';
export type { TierLedger } from './tier/ledger.js';
export type { SeedSupply } from './source/seed-supply.js';
export { RandomBitGenerator } from './generator/random-bit-generator.js';
export type { GeneratorEvent, GeneratorParts, GeneratorStatus } from './generator/random-bit-generator.js';
export type { SourceEvent, TestedSource } from './generator/tested-source.js';
