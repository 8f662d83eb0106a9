/**
 * Work that many ask for and that is done once for each thing it is about, as long as that is there:
 * one look at a system has files, devices and a subject of its own.
 *
 * @param keyOf the object that the result belongs to.
 */
export const oncePer = <Asked, Key extends object, Result>(
  keyOf: (asked: Asked) => Key,
  work: (asked: Asked) => Promise<Result>,
): ((asked: Asked) => Promise<Result>) => {
  const known = new WeakMap<Key, Promise<Result>>();
  return (asked) => {
    const key = keyOf(asked);
    const result = known.get(key) ?? work(asked);
    known.set(key, result);
    return result;
  };
};
