// Reads the options of a script. Node built-ins only.

/**
 * What `parse` makes of the command line; `--help` prints the usage and ends with 0, wrong options print it to
 * standard error and end with 2.
 * @template Options
 * @param {string} usage
 * @param {() => Options} parse
 * @returns {Options}
 */
export function readOptions(usage, parse) {
  if (process.argv.includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parse();
  } catch {
    console.error(usage);
    process.exit(2);
  }
}
