import { plainText } from '../host/plain-text.ts';
import { type BootRun, type BootStage, busNames, type Proof } from '../verification/proof.ts';
import { createStyle, type Style } from './style.ts';
import type { View } from './terminal.ts';
import { asciiText, cutText } from './text-width.ts';
import { wrapText } from './wrap.ts';

/** The stages as a person calls them. */
export const stageNames: Readonly<Record<BootStage, string>> = {
  firmware: 'Firmware',
  'boot-loader': 'Boot loader',
  kernel: 'Kernel',
  initramfs: 'Initramfs',
  'root-mounted': 'Root mounted',
  'default-target': 'Default target',
  login: 'Login prompt',
};

const shown = { units: 5, chain: 8, evidence: 12, journal: 6 };

const asShown = (line: string, { unicode }: Look): string =>
  unicode ? plainText(line) : asciiText(plainText(line));

/** Lines of journals and consoles: the end of one may be what matters, so they are wrapped. */
const quoted = (lines: readonly string[], indent: number, look: Look): string[] =>
  lines.flatMap((line) =>
    wrapText(asShown(line, look), look.columns, indent + 2, ' '.repeat(indent)).map(look.style.dim),
  );

/** The critical chain is a tree: blanks at the beginning stay, and what is too long is cut. */
const treeLines = (lines: readonly string[], indent: number, look: Look): string[] =>
  lines.map((line) => {
    const blanks = ' '.repeat(indent + line.length - line.trimStart().length);
    const text = `${blanks}${asShown(line, look)}`;
    return look.style.dim(cutText(text, look.columns, look.unicode ? '…' : ''));
  });

type Look = { readonly style: Style; readonly columns: number; readonly unicode: boolean };

const seconds = (value: number): string => `${value.toFixed(1)} s`;

/** What a boot was seen to reach, which in a machine need not be the unit that it was to reach. */
export const reachedWords = ({ method, target, stages }: Proof): string => {
  if (method === 'container') return target ?? 'the target';
  return stages.some(({ stage }) => stage === 'login') ? 'the login prompt' : 'the default target';
};

const headline = (proof: Proof, { style, columns }: Look): string[] => {
  const where = proof.method === 'container' ? 'in a container' : 'in a virtual machine';
  if (proof.boots) {
    const words = `It boots: ${reachedWords(proof)} was reached in ${seconds(proof.seconds)} ${where}.`;
    return wrapText(plainText(words), columns).map(style.good);
  }
  if (proof.notJudged !== null) {
    return wrapText(`Not judged: ${plainText(proof.notJudged)}`, columns).map(style.warning);
  }
  const cause = proof.cause ?? 'the boot was not seen to reach its end';
  return wrapText(`It does not boot: ${plainText(cause)}`, columns).map(style.bad);
};

const stageLines = (stages: Proof['stages'], look: Look): string[] =>
  stages
    .map(
      ({ stage, seconds: at }) => `    ${stageNames[stage].padEnd(16)}${seconds(at).padStart(8)}`,
    )
    .map((line) => look.style.dim(line));

const unitLines = (proof: Proof, look: Look): string[] => {
  const { style, columns } = look;
  const real = proof.units.filter(({ expected }) => expected === null);
  const expected = proof.units.filter((unit) => unit.expected !== null);
  return [
    ...(real.length === 0 ? [] : ['', style.warning('  Failed units')]),
    ...real.flatMap(({ unit, journal }) => [
      `    ${plainText(unit)}`,
      ...quoted(journal.slice(-shown.journal), 6, look),
    ]),
    ...(expected.length === 0 ? [] : ['', '  Units that fail in any container']),
    ...expected.flatMap(({ unit, expected: why }) =>
      wrapText(`${plainText(unit)}: ${plainText(why ?? '')}`, columns, 6, '    '),
    ),
  ];
};

const timeLines = ({ blame, criticalChain }: Proof, look: Look): string[] => [
  ...(blame.length === 0 ? [] : ['', '  Slowest units']),
  ...blame
    .slice(0, shown.units)
    .map(({ unit, seconds: took }) => `    ${took.toFixed(2).padStart(6)} s  ${plainText(unit)}`),
  ...(criticalChain.length === 0 ? [] : ['', '  What the boot waited for, the last first']),
  ...treeLines(criticalChain.slice(0, shown.chain), 4, look),
];

const runTitle = ({ start, firmware, accelerator }: BootRun): string => {
  const how = start === 'disk' ? 'its own boot loader' : 'its own kernel, started by QEMU';
  const speed = accelerator === 'kvm' ? 'KVM' : 'software emulation';
  return `${firmware === 'uefi' ? 'UEFI' : 'BIOS'}, ${how}, ${speed}`;
};

const runLines = (run: BootRun, look: Look): string[] => {
  const { style, columns } = look;
  const { passed, cause, notJudged } = run;
  const verdict = passed
    ? 'passed'
    : notJudged === null
      ? `stopped: ${plainText(cause ?? 'not seen to end')}`
      : `not judged: ${plainText(notJudged)}`;
  const colour = passed ? style.good : notJudged === null ? style.bad : style.warning;
  return [
    '',
    `  ${style.bold(runTitle(run))}`,
    ...stageLines(run.stages, look),
    ...wrapText(verdict, columns, 4).map(colour),
    ...(passed ? [] : quoted(run.evidence.slice(-shown.evidence), 6, look)),
    ...(run.screen === null ? [] : [`    Screen: ${run.screen}`]),
  ];
};

const limitsOf = ({ method, bus }: Proof): string => {
  if (method === 'container') {
    return "A container uses this machine's kernel and devices. It says nothing of boot loader, kernel, initramfs and the devices that fstab names.";
  }
  const on = bus === null ? '' : ` on ${busNames[bus]}`;
  return `The machine had the disks themselves${on}, with a layer that is thrown away.`;
};

const nextLines = (proof: Proof, target: string): string[] => [
  `  Nothing was written to ${target}.`,
  ...hint(proof, target),
];

const hint = (proof: Proof, target: string): string[] => {
  if (proof.notJudged !== null) return [];
  if (!proof.boots) return [`  Find out why: rescuekit diagnose ${target}`];
  return proof.method === 'container'
    ? [`  From its own boot loader: rescuekit verify ${target} --vm`]
    : [];
};

/**
 * A proof as a person reads it: the verdict first, then what shows it, what it does not say, and
 * what to do next.
 *
 * @param target as it was named, for the commands of the last lines.
 */
export const renderProof = (proof: Proof, target: string, view: View): string => {
  const { unicode } = view;
  const look: Look = { style: createStyle(view.colour), columns: view.columns - 1, unicode };
  const lines = [
    '',
    ...headline(proof, look),
    ...quoted(proof.evidence.slice(0, shown.evidence), 4, look),
    ...proof.runs.flatMap((run) => runLines(run, look)),
    ...unitLines(proof, look),
    ...timeLines(proof, look),
    '',
    ...wrapText(limitsOf(proof), look.columns),
    ...nextLines(proof, target),
  ];
  return `${lines.join('\n')}\n`;
};
