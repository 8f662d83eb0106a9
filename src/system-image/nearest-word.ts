/** Whether one letter more, less, another one, or two neighbours swapped make one the other. */
const oneApart = (one: string, other: string): boolean => {
  if (one === other) return false;
  const start = [...one].findIndex((letter, index) => letter !== other[index]);
  const from = start === -1 ? one.length : start;
  const [restOne, restOther] = [one.slice(from), other.slice(from)];
  return (
    restOne.slice(1) === restOther ||
    restOne === restOther.slice(1) ||
    restOne.slice(1) === restOther.slice(1) ||
    (restOne[0] === restOther[1] &&
      restOne[1] === restOther[0] &&
      restOne.slice(2) === restOther.slice(2))
  );
};

/** The one word that a mistyped one must have been; null when there is none or several. */
export const nearestWord = (word: string, known: readonly string[]): string | null => {
  const near = known.filter((each) => oneApart(word.toLowerCase(), each));
  return near.length === 1 ? (near[0] ?? null) : null;
};
