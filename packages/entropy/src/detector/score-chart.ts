/** What a chart has to say after a click: nothing, or the level that it has just reached. */
export type Raised = 'intermittent' | 'permanent' | undefined;

/** Scores, in nats, at which charts raise an alarm. */
export interface AlarmScores {
  readonly intermittent: number;
  readonly permanent: number;
}

/** So many charts may stand beside each other within the stated rate of false alarms. */
const CHARTS = 32;

/**
 * The scores for stated rates of false alarms. A chart adds up log-likelihood ratios and never falls below 0 (Page's
 * CUSUM). By Ville's inequality a sum that starts at a given click ever reaches h with probability e^-h at most while
 * nothing is wrong, so that each click adds at most that much to the probability of an alarm (Lorden 1971).
 * @param bits minus log2 of the false alarms per click that all charts together may raise.
 */
export function alarmScores(bits: {
  readonly intermittent: number;
  readonly permanent: number;
}): AlarmScores {
  const score = (exponent: number): number => (exponent + Math.log2(CHARTS)) * Math.LN2;
  return { intermittent: score(bits.intermittent), permanent: score(bits.permanent) };
}

/** One chart: a table of log-likelihood ratios, one for each class that an observation can fall into. */
export class ScoreChart {
  readonly test: string;
  readonly #table: Float64Array;
  readonly #scores: AlarmScores;
  #score = 0;
  #raised = false;

  constructor(test: string, table: Float64Array, scores: AlarmScores) {
    this.test = test;
    this.#table = table;
    this.#scores = scores;
  }

  /** Takes the next observation. */
  add(observed: number): Raised {
    const score = this.#score + (this.#table[observed] ?? 0);
    if (score <= 0) {
      this.#score = 0;
      this.#raised = false;
      return undefined;
    }
    this.#score = score;
    return score < this.#scores.intermittent ? undefined : this.#raise(score);
  }

  reset(): void {
    this.#score = 0;
    this.#raised = false;
  }

  #raise(score: number): Raised {
    if (score >= this.#scores.permanent) {
      this.reset();
      return 'permanent';
    }
    if (this.#raised) return undefined;
    this.#raised = true;
    return 'intermittent';
  }
}

/** Of an alternative this much is the model itself, so that nothing seen counts without limit against a change. */
const SHARE_OF_MODEL = 0.05;

/** The table of a chart that watches for other probabilities of the classes than the model's. */
export function scoreTable(model: ArrayLike<number>, other: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: model.length }, (_, index) => {
    const expected = model[index] ?? 0;
    if (expected <= 0) return 0;
    return Math.log((1 - SHARE_OF_MODEL) * ((other[index] ?? 0) / expected) + SHARE_OF_MODEL);
  });
}
