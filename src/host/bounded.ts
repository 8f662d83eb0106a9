/**
 * Maps like `Promise.all`, with at most `limit` calls under way at a time; results keep the order
 * of the items. After a failure nothing new is started, what runs is awaited, and the first error
 * is thrown: no process is left behind.
 */
export const mapBounded = async <T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<readonly R[]> => {
  const results = new Map<number, R>();
  const errors: unknown[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (errors.length > 0) return;
      try {
        results.set(index, await work(item, index));
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(limit, 1), items.length) }, worker));
  if (errors.length > 0) throw errors[0];
  return items.map((_, index) => results.get(index) as R);
};
