import type { Ordering } from '../../system-image/boot-transaction.ts';

/**
 * Strongly connected groups of units (Tarjan): in a group of more than one, each unit waits for
 * itself. Without recursion, because a damaged disk may hold a chain of any length.
 */
const groupsOf = (
  edges: ReadonlyMap<string, readonly Ordering[]>,
): readonly (readonly string[])[] => {
  const [index, low] = [new Map<string, number>(), new Map<string, number>()];
  const [stack, onStack] = [[] as string[], new Set<string>()];
  const groups: string[][] = [];
  const enter = (name: string) => {
    index.set(name, index.size);
    low.set(name, index.get(name) ?? 0);
    stack.push(name);
    onStack.add(name);
    return { name, next: 0 };
  };
  const lower = (name: string, value: number): void => {
    low.set(name, Math.min(low.get(name) ?? value, value));
  };
  for (const start of edges.keys()) {
    if (index.has(start)) continue;
    const work = [enter(start)];
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const edge = edges.get(top.name)?.[top.next];
      if (edge !== undefined) {
        top.next += 1;
        if (!index.has(edge.to)) work.push(enter(edge.to));
        else if (onStack.has(edge.to)) lower(top.name, index.get(edge.to) ?? 0);
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent !== undefined) lower(parent.name, low.get(top.name) ?? 0);
      if (low.get(top.name) !== index.get(top.name)) continue;
      const group = stack.splice(stack.indexOf(top.name));
      for (const name of group) onStack.delete(name);
      if (group.length > 1) groups.push(group);
    }
  }
  return groups;
};

const edgesOf = (orderings: readonly Ordering[]): ReadonlyMap<string, readonly Ordering[]> => {
  const edges = new Map<string, Ordering[]>();
  for (const ordering of orderings) {
    const list = edges.get(ordering.from);
    if (list === undefined) edges.set(ordering.from, [ordering]);
    else list.push(ordering);
  }
  return edges;
};

/** The shortest way from a unit back to itself; empty when there is none. */
export const cycleThrough = (orderings: readonly Ordering[], name: string): readonly Ordering[] => {
  const edges = edgesOf(orderings);
  const cameBy = new Map<string, Ordering>();
  let frontier = [name];
  while (frontier.length > 0) {
    const next: string[] = [];
    for (const unit of frontier) {
      for (const edge of edges.get(unit) ?? []) {
        if (edge.to === name) {
          const path = [edge];
          for (let at = unit; at !== name; ) {
            const back = cameBy.get(at);
            if (back === undefined) return [];
            path.unshift(back);
            at = back.from;
          }
          return path;
        }
        if (cameBy.has(edge.to)) continue;
        cameBy.set(edge.to, edge);
        next.push(edge.to);
      }
    }
    frontier = next;
  }
  return [];
};

/** The units that are in any cycle. */
export const unitsInCycles = (orderings: readonly Ordering[]): ReadonlySet<string> =>
  new Set(groupsOf(edgesOf(orderings)).flat());
