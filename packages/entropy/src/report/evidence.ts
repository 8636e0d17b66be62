import { assessNonIid, ent, fips1402, sp80022 } from '@symmetra/battery';
import type {
  EntResult,
  Fips1402Result,
  NonIidAssessment,
  Sp80022Profile,
  Sp80022Result,
} from '@symmetra/battery';
import { SymmetraError, sha256, toHex } from '@symmetra/crypto';
import { HealthSuite } from '../health/health-suite.js';
import type { Alarm } from '../health/health-test.js';
import type { SourceDescription } from '../source/noise-source.js';

/** Bytes that a report carries. They are shown to everybody, so they have been given to nobody. */
export interface Sample {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly base64: string;
}

/** What a source gave, and what its samples show. */
export interface SourceEvidence {
  readonly description: SourceDescription;
  /** Consecutive samples, a byte each. */
  readonly sample: Sample;
  readonly health: HealthEvidence;
  /** SP 800-90B, 3.1.3, the non-IID track; only of raw noise: of anything else it would prove nothing. */
  readonly assessment?: NonIidAssessment;
}

/** The health tests over the sample, with the cutoffs of the claim. */
export interface HealthEvidence {
  /** Bits per sample over the last window of the rolling estimate, where there is one. */
  readonly minEntropy?: number;
  readonly alarms: readonly Alarm[];
}

/** What a tier gave. That it passes shows that nothing is broken behind the sources, and says nothing about them. */
export interface OutputEvidence {
  readonly tier: 'drbg' | 'full';
  readonly sample: Sample;
  readonly sp80022: Readonly<Record<Sp80022Profile, Sp80022Result>>;
  readonly fips1402: Fips1402Result;
  readonly ent: EntResult;
}

/** The batteries that take long, so that a caller may run them elsewhere. */
export interface Batteries {
  readonly sp80022: (bytes: Uint8Array, profile: Sp80022Profile) => Promise<Sp80022Result>;
  readonly nonIid: (samples: Uint8Array, bitsPerSample: number) => Promise<NonIidAssessment>;
}

/** The batteries, run here and now. */
export const batteriesHere: Batteries = {
  sp80022: async (bytes, profile) => sp80022(bytes, { profile }),
  nonIid: async (samples, bitsPerSample) => assessNonIid(samples, bitsPerSample),
};

/** How many samples the health tests see at a time; an alarm is found in each. */
const HEALTH_BLOCK = 4096;

/**
 * Examines samples of a source.
 * @param samples consecutive, a byte each; at least 10,000 of raw noise.
 * @throws BATTERY_TOO_FEW_SAMPLES, BATTERY_SAMPLE_RANGE, HEALTH_CUTOFF
 */
export async function examineSource(
  description: SourceDescription,
  samples: Uint8Array,
  batteries: Batteries,
): Promise<SourceEvidence> {
  return {
    description: { ...description },
    sample: sampleOf(samples),
    health: healthOf(description, samples),
    ...(description.raw && { assessment: await batteries.nonIid(samples, description.bitsPerSample) }),
  };
}

/**
 * Examines bytes of a tier.
 * @throws BATTERY_TOO_FEW_BITS
 */
export async function examineOutput(
  tier: OutputEvidence['tier'],
  bytes: Uint8Array,
  batteries: Batteries,
): Promise<OutputEvidence> {
  return {
    tier,
    sample: sampleOf(bytes),
    sp80022: {
      'nist-sts-2.1.2': await batteries.sp80022(bytes, 'nist-sts-2.1.2'),
      corrected: await batteries.sp80022(bytes, 'corrected'),
    },
    fips1402: fips1402(bytes),
    ent: ent(bytes),
  };
}

/** The bytes of a sample, as far as they are what its hash says. @throws REPORT_MALFORMED */
export function bytesOf({ bytes, sha256: hash, base64 }: Sample): Uint8Array {
  const decoded = new Uint8Array(Buffer.from(base64, 'base64'));
  if (decoded.length === bytes && toHex(sha256(decoded)) === hash) return decoded;
  throw new SymmetraError('REPORT_MALFORMED', 'a sample in the report is not the one that its hash names');
}

function sampleOf(bytes: Uint8Array): Sample {
  return {
    bytes: bytes.length,
    sha256: toHex(sha256(bytes)),
    base64: Buffer.from(bytes).toString('base64'),
  };
}

function healthOf(description: SourceDescription, samples: Uint8Array): HealthEvidence {
  const suite = new HealthSuite(description);
  const alarms: Alarm[] = [];
  for (let at = 0; at < samples.length; at += HEALTH_BLOCK) {
    const alarm = suite.feed({ samples: samples.slice(at, at + HEALTH_BLOCK) });
    if (alarm !== undefined) alarms.push(alarm);
  }
  const { minEntropy } = suite;
  return { ...(minEntropy !== undefined && { minEntropy }), alarms };
}
