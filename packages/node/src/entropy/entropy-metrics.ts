import type { GeneratorStatus } from '@symmetra/entropy';
import type { Metric, MetricValue } from '@symmetra/runtime';

/** The metrics of a generator, read from its status when somebody scrapes them. */
export function entropyMetrics(status: () => GeneratorStatus): readonly Metric[] {
  type Source = GeneratorStatus['sources'][number];
  const perSource = (read: (source: Source) => number | undefined): MetricValue[] =>
    status().sources.flatMap((source) => {
      const value = read(source);
      return value === undefined ? [] : [{ labels: { source: source.description.name }, value }];
    });
  return [
    {
      name: 'symmetra_entropy_ready',
      help: '1 while a good source of entropy is left, else 0: then nodes make no new keys.',
      kind: 'gauge',
      labelNames: [],
      read: () => [{ value: status().state === 'ready' ? 1 : 0 }],
    },
    {
      name: 'symmetra_entropy_seeds',
      help: 'Seeds of 384 bits with full entropy that can be made now.',
      kind: 'gauge',
      labelNames: [],
      read: () => [{ value: status().availableSeeds }],
    },
    {
      name: 'symmetra_entropy_refusals_total',
      help: 'Requests that were refused for want of entropy.',
      kind: 'counter',
      labelNames: [],
      read: () => [{ value: status().ledger.refusals }],
    },
    {
      name: 'symmetra_entropy_credited_bits_total',
      help: 'Bits of entropy that went into seeds, as their sources claim them; of simulated sources apart.',
      kind: 'counter',
      labelNames: ['simulated'],
      read: () => {
        const { creditedBits, simulatedBits } = status().ledger;
        return [
          { labels: { simulated: 'false' }, value: creditedBits - simulatedBits },
          { labels: { simulated: 'true' }, value: simulatedBits },
        ];
      },
    },
    {
      name: 'symmetra_entropy_output_bits_total',
      help: 'Bits that were handed out, by tier.',
      kind: 'counter',
      labelNames: ['tier'],
      read: () => {
        const { fullBits, drbgBits } = status().ledger;
        return [
          { labels: { tier: 'full' }, value: fullBits },
          { labels: { tier: 'drbg' }, value: drbgBits },
        ];
      },
    },
    {
      name: 'symmetra_entropy_source_qualified',
      help: '1 while the noise of the source passes its tests, else 0.',
      kind: 'gauge',
      labelNames: ['source'],
      read: () => perSource(({ state }) => (state === 'qualified' ? 1 : 0)),
    },
    {
      name: 'symmetra_entropy_source_alarms_total',
      help: 'Alarms of the health tests.',
      kind: 'counter',
      labelNames: ['source'],
      read: () => perSource(({ alarms }) => alarms),
    },
    {
      name: 'symmetra_entropy_source_samples_total',
      help: 'Samples of noise that were tested.',
      kind: 'counter',
      labelNames: ['source'],
      read: () => perSource(({ samples }) => samples),
    },
    {
      name: 'symmetra_entropy_source_assessed_bits',
      help: 'Min-entropy of a sample by the last assessment (SP 800-90B, non-IID); none before the first.',
      kind: 'gauge',
      labelNames: ['source'],
      read: () => perSource(({ assessed }) => assessed?.minEntropy),
    },
    {
      name: 'symmetra_entropy_source_assessed_timestamp_seconds',
      help: 'When that was.',
      kind: 'gauge',
      labelNames: ['source'],
      read: () => perSource(({ assessed }) => (assessed === undefined ? undefined : assessed.time / 1000)),
    },
    {
      name: 'symmetra_entropy_output_least_p',
      help: 'The least p-value of SP 800-22 over the last output set aside; of a hundred good runs one is below 5e-5.',
      kind: 'gauge',
      labelNames: ['source'],
      read: () => perSource(({ outputChecked }) => outputChecked?.leastP),
    },
    {
      name: 'symmetra_entropy_gate_buffers_total',
      help: 'Buffers of extracted bytes that the gate looked at.',
      kind: 'counter',
      labelNames: ['source'],
      read: () => perSource(({ gate }) => gate?.buffers),
    },
    {
      name: 'symmetra_entropy_gate_rejected_total',
      help: 'Those of them that it threw away.',
      kind: 'counter',
      labelNames: ['source'],
      read: () => perSource(({ gate }) => gate?.rejected),
    },
    {
      name: 'symmetra_entropy_gate_chi_square_p',
      help: 'How often good bytes are more uneven than all that passed the gate; below 2^-41 it shuts, for good.',
      kind: 'gauge',
      labelNames: ['source'],
      read: () => perSource(({ gate }) => gate?.chiSquareP),
    },
    {
      name: 'symmetra_entropy_gate_suspicious_tests',
      help: 'Tests of the gate whose last thousand p-values do not look like those of good data.',
      kind: 'gauge',
      labelNames: ['source'],
      read: () => perSource(({ gate }) => gate?.suspicious.length),
    },
  ];
}
