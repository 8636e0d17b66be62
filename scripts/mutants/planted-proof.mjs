// Bugs in what is said of noise: packages/battery, the reports of packages/entropy, the metrics of packages/node.

const STS = ['test/vectors/sp800-22.test.ts'];
const SPECIAL = ['test/vectors/sp800-22-special.test.ts'];
const FIPS = ['test/contract/battery-fips1402.test.ts'];
const NON_IID = ['test/vectors/sp800-90b-non-iid.test.ts'];
const RESTART = ['test/vectors/sp800-90b-restart.test.ts'];
const REPORT = ['test/contract/entropy-report.test.ts'];

/** @type {readonly import('./planted.mjs').Mutant[]} */
export const PROOF_MUTANTS = [
  {
    name: 'Serial without its half',
    file: 'packages/battery/src/sp800-22/patterns.ts',
    find: 'igamc(2 ** (length - 2), (whole - shorter) / 2)',
    replace: 'igamc(2 ** (length - 2), whole - shorter)',
    breaks: 'SP 800-22, 2.11: the example of the document has this error, and good data fail.',
    suites: STS,
  },
  {
    name: 'igamc by the wrong branch',
    file: 'packages/battery/src/special/gamma.ts',
    find: 'if (x < a + 1) return',
    replace: 'if (x > a + 1) return',
    breaks: 'P-values in the tails are noise of the subtraction.',
    suites: SPECIAL,
  },
  {
    name: 'monobit bound inclusive',
    file: 'packages/battery/src/fips140-2/fips1402.ts',
    find: 'const ONES: Bounds = [9726, 10_274];',
    replace: 'const ONES: Bounds = [9725, 10_275];',
    breaks: 'FIPS 140-2, 4.9.1: blocks at the bounds pass.',
    suites: FIPS,
  },
  {
    name: 'tuple counted from 34 on',
    file: 'packages/battery/src/sp800-90b/t-tuple.ts',
    find: 'const enough = 35;',
    replace: 'const enough = 34;',
    breaks: 'SP 800-90B, 6.3.5: longer tuples than the clause allows are looked at.',
    suites: NON_IID,
  },
  {
    name: 'repeated substrings from the t-tuple on',
    file: 'packages/battery/src/sp800-90b/lrs.ts',
    find: 'const u = longestFrequentTuple(tuples) + 1;',
    replace: 'const u = longestFrequentTuple(tuples);',
    breaks: 'SP 800-90B, 6.3.6: the estimate is over other lengths than the clause names.',
    suites: NON_IID,
  },
  {
    name: 'MultiMMC of depth 15',
    file: 'packages/battery/src/sp800-90b/multi-mmc.ts',
    find: 'const depths = 16;',
    replace: 'const depths = 15;',
    breaks: 'SP 800-90B, 6.3.9: what depends on 16 samples before is not predicted.',
    suites: NON_IID,
  },
  {
    name: 'run of predictions one short',
    file: 'packages/battery/src/sp800-90b/prediction.ts',
    find: 'const run = count.longestRun + 1;',
    replace: 'const run = count.longestRun;',
    breaks: 'SP 800-90B, 6.3.7: the local bound is another.',
    suites: NON_IID,
  },
  {
    name: 'restart cutoff of the rows alone',
    file: 'packages/battery/src/sp800-90b/restart-cutoff.ts',
    find: '0.99 ** (1 / (2 * restartSize))',
    replace: '0.99 ** (1 / restartSize)',
    breaks: 'SP 800-90B, 3.1.4.3: rows and columns together fail good sources twice as often as stated.',
    suites: RESTART,
  },
  {
    name: 'report signature not checked',
    file: 'packages/entropy/src/report/report.ts',
    find: "if (!verify(hexOf(signature.value), bytesOf(report), publicKey, 'entropyReportSign')) throw badSignature();",
    replace: 'hexOf(signature.value);',
    breaks: 'Anybody writes reports in the name of the operator.',
    suites: REPORT,
  },
  {
    name: 'pinned signer not compared',
    file: 'packages/entropy/src/report/verify-report.ts',
    find: 'if (signer !== undefined && signedBy !== signer) {',
    replace: 'if (false) {',
    breaks: 'A report of another signer passes though its reader named the key.',
    suites: REPORT,
  },
  {
    name: 'chain of reports not checked',
    file: 'packages/entropy/src/report/verify-report.ts',
    find: 'if (report.previous === expected && report.number === number) return true;',
    replace: 'return true;',
    breaks: 'A report that was taken out of the chain is not missed.',
    suites: REPORT,
  },
  {
    name: 'numbers of a report compared loosely',
    file: 'packages/entropy/src/report/canonical-json.ts',
    find: 'const TOLERANCE = 1e-12;',
    replace: 'const TOLERANCE = 1e-3;',
    breaks: 'An assessment that was rounded up a little follows from its samples.',
    suites: REPORT,
  },
  {
    name: 'samples of a report not hashed',
    file: 'packages/entropy/src/report/evidence.ts',
    find: 'if (decoded.length === bytes && toHex(sha256(decoded)) === hash) return decoded;',
    replace: 'if (decoded.length > 0) return decoded;',
    breaks: 'A sample that was exchanged is examined at length as if it were the one that its hash names.',
    suites: REPORT,
  },
  {
    name: 'readiness always shown',
    file: 'packages/node/src/entropy/entropy-metrics.ts',
    find: "status().state === 'ready' ? 1 : 0",
    replace: '1',
    breaks: 'Nobody is woken when nodes can make no keys.',
    suites: ['test/integration/node-entropy.test.ts'],
  },
];
