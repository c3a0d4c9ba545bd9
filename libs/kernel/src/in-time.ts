/**
 * As `answer`, or rejects after `patienceMs`. It cannot stop what is under way: an answer or an error that comes later is
 * dropped without a word. Leaves no timer behind.
 */
export async function inTime<T>(answer: Promise<T>, patienceMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It took too long.')), patienceMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
