/** Something that happens once, at its time. */
interface Appointment {
  readonly due: number;
  readonly order: number;
  readonly happen: () => void;
  cancelled: boolean;
}

/** More than any run needs: a world that goes round in circles at one moment ends with an error. */
const MAX_EVENTS = 2_000_000;

/**
 * The time of a simulated world, in milliseconds from its beginning. Everything that happens in it is an appointment;
 * those of one moment come in the order in which they were made. Between two of them everything that runs is run to its
 * end, so that the same appointments always lead to the same world.
 */
export class Timeline {
  /** Ascending from the end: the next one is the last. */
  readonly #appointments: Appointment[] = [];
  #now = 0;
  #made = 0;
  #happened = 0;

  get now(): number {
    return this.#now;
  }

  /** How many appointments were kept so far. */
  get happened(): number {
    return this.#happened;
  }

  /** Has something happen after `ms` milliseconds, whole ones, not cancelled before. @returns what cancels it */
  after(ms: number, happen: () => void): () => void {
    this.#made += 1;
    const due = this.#now + Math.max(0, Math.ceil(ms));
    const appointment: Appointment = { due, order: this.#made, happen, cancelled: false };
    this.#appointments.splice(this.#placeOf(appointment), 0, appointment);
    return () => {
      appointment.cancelled = true;
    };
  }

  /** Lets time pass: `ms` milliseconds, or less when `until` becomes true. */
  async pass(ms: number, until: () => boolean = () => false): Promise<void> {
    const end = this.#now + ms;
    await standStill();
    for (let next = this.#appointments.at(-1); next !== undefined && next.due <= end;) {
      if (until()) return;
      this.#appointments.pop();
      if (!next.cancelled) await this.#keep(next);
      next = this.#appointments.at(-1);
    }
    if (!until()) this.#now = end;
  }

  async #keep({ due, happen }: Appointment): Promise<void> {
    this.#now = due;
    this.#happened += 1;
    if (this.#happened > MAX_EVENTS) throw new Error(`too much happens in this world, at ${due} ms`);
    happen();
    await standStill();
  }

  /** Behind everything that comes later. */
  #placeOf({ due }: Appointment): number {
    let low = 0;
    let high = this.#appointments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#appointments[middle]?.due ?? 0) > due) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Until nothing runs any more: no promise is left to settle, and nobody waits for a turn of the event loop. */
async function standStill(): Promise<void> {
  do {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  } while (process.getActiveResourcesInfo().includes('Immediate'));
}
