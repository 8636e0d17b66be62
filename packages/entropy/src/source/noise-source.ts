/** What a source says of itself. Every report, list and label repeats it. */
export interface SourceDescription {
  /** Unique among the sources of one generator: 1 to 32 of a-z, 0-9 and `-`. */
  readonly name: string;
  readonly kind: SourceKind;
  /** Whether a physical process is measured (SP 800-90B, 2.2). */
  readonly physical: boolean;
  /** Whether that process is a quantum one (ITU-T X.1702). */
  readonly quantum: boolean;
  /** Whether a program computes it. Then nothing of it is ever called quantum without this word. */
  readonly simulated: boolean;
  /** Whether the samples are digitised noise that nothing has conditioned yet. */
  readonly raw: boolean;
  /** 1 to 8; a sample fills the low bits of its byte. */
  readonly bitsPerSample: number;
  /** The claimed min-entropy of a sample, in bits; 0 when nothing is claimed. At most `bitsPerSample`. */
  readonly minEntropyPerSample: number;
}

/** How the samples come in. */
export type SourceKind =
  'detector' | 'file' | 'grpc' | 'http' | 'os' | 'pkcs11' | 'serial' | 'stream' | 'tpm';

/** Consecutive samples of one source, in the order in which they were measured. */
export interface NoiseBlock {
  /** One byte each. */
  readonly samples: Uint8Array;
  /** What a detector saw while it measured them; only detectors have it. */
  readonly clicks?: Clicks;
}

/** The clicks of single-photon detectors as a time tagger reports them. */
export interface Clicks {
  /** Clock ticks since the click before on either detector; at most 2^32 - 1. */
  readonly intervals: Uint32Array;
  /** Which detector clicked, 0 or 1, for each interval. */
  readonly detectors: Uint8Array;
  /** Picoseconds in a clock tick. */
  readonly tickPs: number;
}

/**
 * A source of noise, as a pipeline sees it. It hands each sample out once, changes nothing about them, and tests
 * nothing but the form in which they come.
 */
export interface NoiseSource {
  readonly description: SourceDescription;
  /**
   * Waits for the next samples. One call at a time.
   * @param count how many, at least 1 and at most 2^20.
   * @returns exactly `count` of them; the caller owns the arrays.
   * @throws SOURCE_SILENT when they do not come within the time that the source was given, SOURCE_SHORT_READ when it
   *   ends early, SOURCE_BAD_PAYLOAD when what came is not noise in the agreed form, SOURCE_UNREACHABLE,
   *   SOURCE_UNTRUSTED, SOURCE_REFUSED, SOURCE_CREDENTIAL, SOURCE_CLOSED; the reason of `signal` when that is
   *   aborted. After an error the next call starts afresh.
   */
  read(count: number, signal: AbortSignal): Promise<NoiseBlock>;
  /** Lets go of the device or the connection. Never rejected; may be called twice. */
  close(): Promise<void>;
}
