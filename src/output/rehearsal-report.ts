import { plainText } from '../host/plain-text.ts';
import type { FileChange, RehearsalReport } from '../rehearsal/report.ts';
import { formatSize } from './size.ts';
import { createStyle, type Style } from './style.ts';
import type { View } from './terminal.ts';
import { cutText } from './text-width.ts';
import { wrapText } from './wrap.ts';

/** More is nothing that a person reads on a terminal; `--json` has all of it. */
const filesShown = 60;
const diffLinesShown = 30;

const signs: Readonly<Record<FileChange['change'], string>> = {
  added: '+',
  removed: '-',
  changed: '~',
  attributes: '·',
};

const paint = (change: FileChange['change'], style: Style) =>
  change === 'added' ? style.good : change === 'removed' ? style.bad : (text: string) => text;

const paintDiff = (line: string, style: Style): string => {
  if (line.startsWith('+')) return style.good(line);
  return line.startsWith('-') ? style.bad(line) : style.dim(line);
};

const sizeWords = ({ bytesBefore, bytesAfter, change }: FileChange): string => {
  if (change === 'attributes') return '  owner, mode, times or attributes';
  if (bytesBefore !== null && bytesAfter !== null && bytesBefore !== bytesAfter) {
    return `  ${formatSize(bytesBefore)} → ${formatSize(bytesAfter)}`;
  }
  return bytesAfter === null || bytesBefore !== null ? '' : `  ${formatSize(bytesAfter)}`;
};

const diffLines = (diff: string, indent: string, view: View, style: Style): readonly string[] => {
  // The first two lines name the file, which stands above.
  const lines = diff.trimEnd().split('\n').slice(2);
  const shown = lines.slice(0, diffLinesShown);
  const more = lines.length - shown.length;
  return [...shown, ...(more > 0 ? [`(${more} lines more)`] : [])].map(
    (line) => `${indent}${paintDiff(cutText(line, view.columns - indent.length - 1, '…'), style)}`,
  );
};

/** Directories that two paths in a row do not share are shown once, above what is in them. */
const treeLines = (files: readonly FileChange[], view: View, style: Style): readonly string[] => {
  const lines: string[] = [];
  let shown: readonly string[] = [];
  for (const file of files) {
    const parts = file.path.split('/').slice(1);
    const above = parts.slice(0, -1);
    const shared = above.findIndex((part, index) => shown[index] !== part);
    for (let depth = shared < 0 ? above.length : shared; depth < above.length; depth++) {
      lines.push(style.dim(`    ${'  '.repeat(depth)}${above[depth]}/`));
    }
    shown = file.kind === 'directory' ? parts : above;
    const indent = `    ${'  '.repeat(above.length)}`;
    const name = `${parts.at(-1) ?? ''}${file.kind === 'directory' ? '/' : ''}`;
    lines.push(
      `${indent}${paint(file.change, style)(`${signs[file.change]} ${name}`)}${style.dim(sizeWords(file))}`,
    );
    if (file.diff !== null) lines.push(...diffLines(file.diff, `${indent}    `, view, style));
  }
  return lines;
};

const fileLines = (
  { files, fileCount, filesNote }: RehearsalReport,
  view: View,
  style: Style,
): readonly string[] => {
  if (files === null) return wrapText(filesNote ?? '', view.columns - 1);
  if (fileCount === 0) return ['  No file is different.'];
  const shown = files.slice(0, filesShown);
  const more = fileCount - shown.length;
  return [
    `  ${fileCount} ${fileCount === 1 ? 'entry is' : 'entries are'} different:`,
    ...treeLines(shown, view, style),
    ...(more > 0 ? [`    and ${more} more`] : []),
  ];
};

const proofLines = (
  { proof, proven, notProven }: RehearsalReport,
  view: View,
  style: Style,
): readonly string[] => {
  const columns = view.columns - 1;
  const open =
    notProven === null
      ? []
      : wrapText(`Not proven: ${plainText(notProven).replace(/\.$/, '')}.`, columns);
  const doubt = open.map(style.warning);
  if (proof === null) return ['  No boot of it was watched.', ...doubt];
  if (proof.notJudged !== null) return ['  It could not be judged whether it boots.', ...doubt];
  const how = proof.method === 'vm' ? 'in a virtual machine' : 'in a container';
  const seconds = `${proof.seconds.toFixed(1)} s`;
  if (!proof.boots) {
    const why = plainText(proof.cause ?? 'the target was not reached');
    return wrapText(`It does not boot ${how}: ${why}`, columns).map(style.bad);
  }
  return proven
    ? [style.good(`  It boots: watched ${how}, ${seconds}.`)]
    : [`  Its start was watched ${how}, ${seconds}.`, ...doubt];
};

/** What a rehearsal has changed and shown, before the person decides. */
export const renderRehearsal = (report: RehearsalReport, view: View): string => {
  const style = createStyle(view.colour);
  const disks = report.disks.map(
    ({ disk, changedBlocks, changedBytes, blockBytes }) =>
      `  ${disk}: ${formatSize(changedBytes)} would be written (${changedBlocks} blocks of ${formatSize(blockBytes)})`,
  );
  return [
    '',
    `  ${style.bold('What the rehearsal has changed')}`,
    ...disks,
    ...fileLines(report, view, style),
    ...proofLines(report, view, style),
    '',
  ].join('\n');
};
