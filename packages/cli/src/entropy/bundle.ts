import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { NonIidAssessment, RestartAssessment } from '@symmetra/battery';
import {
  ESV_SAMPLES,
  RESTARTS,
  collectExtracted,
  collectRestarts,
  collectSamples,
  esvMetadata,
  osRandom,
} from '@symmetra/entropy';
import type { CollectionOptions, NoiseSource, SourceDescription } from '@symmetra/entropy';
import { writeNewFile } from '../output-file.js';
import type { BundleBatteries } from './threaded-batteries.js';

/** How much of everything a bundle holds. */
export interface BundleSizes {
  /** Of the raw and of the conditioned file. */
  readonly samples: number;
  /** How many, and samples of each. */
  readonly restarts: number;
}

/** What an Entropy Source Validation asks for. */
export const ESV_SIZES: BundleSizes = { samples: ESV_SAMPLES, restarts: RESTARTS };

/** What is collected of a source, a byte a sample. */
export interface Collected {
  readonly raw: Uint8Array;
  readonly extracted: Uint8Array;
  /** A row for each restart. */
  readonly restarts: Uint8Array;
}

/** What the batteries say of it. */
export interface BundleFindings {
  /** Bits per sample. */
  readonly raw: NonIidAssessment;
  readonly restarts: RestartAssessment;
  /** Bits per byte. */
  readonly conditioned: NonIidAssessment;
}

/** How each stage of the collection is followed. */
export type Follow = (stage: string) => CollectionOptions;

/**
 * Reads the source, then lets it start anew again and again.
 * @param open starts the source; each is closed in the end, whatever happens.
 * @throws what the source throws.
 */
export async function collectBundle(
  open: () => NoiseSource,
  { samples, restarts }: BundleSizes,
  follow: Follow,
): Promise<Collected> {
  const source = open();
  try {
    const raw = await collectSamples(source, samples, follow('reading samples'));
    const { bytes: random } = osRandom();
    const extracted = await collectExtracted(source, samples, random, follow('extracting'));
    await source.close();
    const matrix = await collectRestarts(async () => open(), restarts, follow('restarting the source'));
    return { raw, extracted, restarts: matrix };
  } finally {
    await source.close();
  }
}

/** @throws BATTERY_TOO_FEW_SAMPLES, BATTERY_BAD_ARGUMENT for other sizes than {@link ESV_SIZES} may be. */
export async function assessBundle(
  { bitsPerSample }: SourceDescription,
  { raw, extracted, restarts: matrix }: Collected,
  batteries: BundleBatteries,
): Promise<BundleFindings> {
  const assessment = await batteries.nonIid(raw, bitsPerSample);
  const conditioned = await batteries.nonIid(extracted, 8);
  const initialEntropy = assessment.minEntropy;
  const restarts = await batteries.restarts({ matrix, bitsPerSample, initialEntropy });
  return { raw: assessment, restarts, conditioned };
}

/** Writes the files into a new directory, their hashes last. @throws FILE_EXISTS, and what the system answers. */
export async function writeBundle(
  directory: string,
  description: SourceDescription,
  { raw, extracted, restarts }: Collected,
  findings: BundleFindings,
): Promise<void> {
  const files: Readonly<Record<string, Uint8Array | string>> = {
    'raw-samples.bin': raw,
    'restart-samples.bin': restarts,
    'conditioned-samples.bin': extracted,
    'metadata.json': json(esvMetadata(description, findings.conditioned.minEntropy / 8)),
    'assessment.json': json({ source: description, ...findings }),
  };
  await mkdir(directory, { mode: 0o700 });
  const sums: string[] = [];
  for (const [file, content] of Object.entries(files)) {
    await writeNewFile(join(directory, file), content);
    sums.push(`${createHash('sha256').update(content).digest('hex')}  ${file}\n`);
  }
  await writeNewFile(join(directory, 'SHA256SUMS'), sums.join(''));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
