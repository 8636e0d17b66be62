import type { GeneratorEvent } from '@symmetra/entropy';
import type { Logger } from '@symmetra/runtime';

/** Tells the log what happens to the sources of entropy: what serves at `info`, what is lost at `warn` or `error`. */
export function logEntropy(logger: Logger, event: GeneratorEvent): void {
  switch (event.kind) {
    case 'ready':
      logger.info('The first source of entropy passes its tests.');
      return;
    case 'exhausted':
      logger.error('No good source of entropy is left: the nodes make no new keys.');
      return;
    case 'restored':
      logger.info('There is a good source of entropy again: the nodes make keys.');
      return;
    case 'assessed': {
      const { source, assessed } = event;
      const fields = { source, bits: assessed.minEntropy, count: assessed.samples };
      if (assessed.passed) logger.info(fields, 'An assessment bears out what a source of entropy claims.');
      else logger.error(fields, 'An assessment finds less entropy in a source than it claims.');
      return;
    }
    case 'assessment-failed':
      logger.warn({ source: event.source, code: event.error }, 'An assessment of a source came to nothing.');
      return;
    default: {
      const { source, alarm, error, defect } = event;
      const fields = {
        source,
        ...(alarm !== undefined && { test: alarm.test, reason: alarm.level }),
        ...(error !== undefined && { code: error }),
        ...(defect !== undefined && { err: defect }),
      };
      switch (event.kind) {
        case 'qualified':
          logger.info(fields, 'A source of entropy passes its tests.');
          return;
        case 'requalified':
          logger.info(fields, 'A source of entropy passes its tests again.');
          return;
        case 'quarantined':
          logger.warn(fields, 'A source of entropy is in quarantine.');
          return;
        case 'out-of-service':
          logger.error(fields, 'A source of entropy is out of service until an operator says otherwise.');
      }
    }
  }
}
