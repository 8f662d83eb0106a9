/**
 * Asks again and again until the condition holds. For kernel state that has no event to wait for
 * (a loop device let go by udev, a process that is not our child). Milliseconds; the first
 * question is asked at once.
 *
 * @returns whether the condition held before the time was over.
 */
export const waitUntil = async (
  condition: () => Promise<boolean>,
  timeoutMilliseconds: number,
): Promise<boolean> => {
  const end = performance.now() + timeoutMilliseconds;
  for (let pause = 2; ; pause = Math.min(pause * 1.5, 100)) {
    if (await condition()) return true;
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
};
