const golden = 0x9e3779b1;

/** Counts under whole keys below 2^31 - 1: an open hash table on typed arrays that grows. */
export class PairCounts {
  private keys: Int32Array;
  private counts: Int32Array;
  private shift: number;
  private size = 0;

  /** `logCapacity`: the table starts with 2^logCapacity places. */
  constructor(logCapacity: number) {
    this.keys = new Int32Array(1 << logCapacity);
    this.counts = new Int32Array(1 << logCapacity);
    this.shift = 32 - logCapacity;
  }

  /** One more under `key`, and what it counts then; 0 when it is new and may not be added. */
  increment(key: number, mayAdd: boolean): number {
    const place = this.placeOf(key + 1);
    if (this.keys[place] === 0) {
      if (!mayAdd) return 0;
      this.keys[place] = key + 1;
      this.counts[place] = 1;
      this.size++;
      if (this.size * 2 > this.keys.length) this.grow();
      return 1;
    }
    return ++this.counts[place]!;
  }

  private placeOf(stored: number): number {
    const { keys } = this;
    const mask = keys.length - 1;
    let place = Math.imul(stored, golden) >>> this.shift;
    while (keys[place] !== 0 && keys[place] !== stored) place = (place + 1) & mask;
    return place;
  }

  private grow(): void {
    const { keys, counts } = this;
    this.keys = new Int32Array(keys.length * 2);
    this.counts = new Int32Array(keys.length * 2);
    this.shift--;
    for (let old = 0; old < keys.length; old++) {
      if (keys[old] === 0) continue;
      const place = this.placeOf(keys[old]!);
      this.keys[place] = keys[old]!;
      this.counts[place] = counts[old]!;
    }
  }
}
