/** Keeps a fixed number of operations under way. */

/** Runs `work` so many times, `width` at a time. Rejects with the first failure. */
export async function inFlight(width: number, operations: number, work: () => Promise<unknown>): Promise<void> {
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < operations) {
      begun += 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, operations) }, lane));
}
