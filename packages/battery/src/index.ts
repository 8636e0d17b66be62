export {
  binomialProbability,
  binomialTail,
  criticalBinomial,
  criticalBinomialAtTail,
} from './special/binomial.js';
export { chiSquareSurvival, igamc } from './special/gamma.js';
export { erfc, normalCdf } from './special/normal.js';
