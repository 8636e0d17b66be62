export { ByteFrequencies } from './ent/byte-frequencies.js';
export type { ChiSquare } from './ent/byte-frequencies.js';
export { ent } from './ent/ent.js';
export type { EntResult } from './ent/ent.js';
export { FIPS1402_BLOCK_BYTES } from './fips140-2/block.js';
export { fips1402 } from './fips140-2/fips1402.js';
export type { Fips1402Result, Fips1402Test } from './fips140-2/fips1402.js';
export type { Estimate } from './sp800-90b/estimate.js';
export type { EstimatorResults, OnEstimator } from './sp800-90b/estimators.js';
export type { ChiSquareTest } from './sp800-90b/iid/chi-square.js';
export { assessIid } from './sp800-90b/iid/iid.js';
export type { IidAssessment, IidOptions } from './sp800-90b/iid/iid.js';
export type { LongestRepeatTest } from './sp800-90b/iid/longest-repeat.js';
export type { OnPermutation, PermutationTest, PermutedStatistic } from './sp800-90b/iid/permutation.js';
export { mostCommonValueEstimate } from './sp800-90b/most-common-value.js';
export { assessNonIid } from './sp800-90b/non-iid.js';
export type { NonIidAssessment } from './sp800-90b/non-iid.js';
export { assessRestarts } from './sp800-90b/restart.js';
export type { RestartAssessment, RestartSanityCheck } from './sp800-90b/restart.js';
export {
  SP80022_TESTS,
  sp80022,
  type Sp80022Options,
  type Sp80022Profile,
  type Sp80022Result,
  type Sp80022TestName,
} from './sp800-22/sp800-22.js';
export {
  binomialProbability,
  binomialTail,
  criticalBinomial,
  criticalBinomialAtTail,
} from './special/binomial.js';
export { chiSquareSurvival, igamc } from './special/gamma.js';
export { erfc, normalCdf } from './special/normal.js';
