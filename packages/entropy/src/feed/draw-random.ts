/** Where a feed takes its random bytes from: as many as asked for, each handed out once; the feed wipes them. */
export type DrawRandom = (length: number) => Promise<Uint8Array>;
