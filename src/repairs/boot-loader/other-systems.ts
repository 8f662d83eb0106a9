import { parseGrubScript } from '../../system-image/grub-script.ts';

/** The script of grub-mkconfig that asks os-prober for other systems. */
export const osProber = '/etc/grub.d/30_os-prober';

const mark = (word: 'BEGIN' | 'END', script: string): string => `### ${word} ${script} ###`;

/**
 * The part of a menu with the entries of other systems that os-prober had found, with the marks of
 * grub-mkconfig around it; null when there is none, or when it is not whole.
 */
export const otherSystems = (menu: string): string | null => {
  const [begin, end] = [mark('BEGIN', osProber), mark('END', osProber)];
  const lines = menu.split(/(?<=\n)/);
  const first = lines.findIndex((line) => line.trimEnd() === begin);
  const last = lines.findIndex((line, index) => index > first && line.trimEnd() === end);
  if (first === -1 || last === -1) return null;
  const part = lines.slice(first, last + 1).join('');
  const { commands, problem } = parseGrubScript(part);
  const names = commands.flatMap(({ words }) => words[0] ?? []);
  const hasEntries = names.includes('menuentry') || names.includes('submenu');
  return problem === null && hasEntries ? (part.endsWith('\n') ? part : `${part}\n`) : null;
};

/**
 * A menu with that part where grub-mkconfig puts it: the scripts are run in the order of their names,
 * and an entry may be the default by its number.
 */
export const withOtherSystems = (menu: string, part: string): string => {
  const lines = menu.split(/(?<=\n)/);
  const after = lines.findIndex((line) => {
    const script = /^### BEGIN (\S+) ###\s*$/.exec(line)?.[1];
    return script !== undefined && script > osProber;
  });
  if (after !== -1) return [...lines.slice(0, after), part, '\n', ...lines.slice(after)].join('');
  return `${menu.endsWith('\n') || menu === '' ? menu : `${menu}\n`}\n${part}`;
};
