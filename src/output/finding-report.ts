import { type Evidence, type Finding, problemsAmong } from '../diagnosis/finding.ts';
import type { Diagnosis } from '../diagnosis/run-checks.ts';
import { plainText } from '../host/plain-text.ts';
import { createStyle, type Style } from './style.ts';
import type { View } from './terminal.ts';
import { wrapText } from './wrap.ts';

const evidenceLine = (evidence: Evidence): string =>
  evidence.kind === 'file'
    ? `${evidence.path}${evidence.line === null ? '' : `:${evidence.line}`}  ${evidence.text}`
    : `${evidence.command}: ${evidence.output}`;

const severityWord = ({ severity }: Finding, style: Style): string => {
  const word = severity.padEnd(9);
  if (severity === 'critical') return style.bad(word);
  return severity === 'warning' ? style.warning(word) : style.dim(word);
};

const evidenceShown = 6;

const renderFinding = (finding: Finding, view: View, style: Style): readonly string[] => {
  const columns = view.columns - 1;
  const [title = '', ...rest] = wrapText(plainText(finding.title), columns, 12);
  return [
    `  ${severityWord(finding, style)} ${title.trimStart()}`,
    ...rest,
    ...finding.evidence
      .slice(0, evidenceShown)
      .flatMap((evidence) =>
        wrapText(plainText(evidenceLine(evidence)), columns, 16, ' '.repeat(14)),
      )
      .map(style.dim),
    ...(finding.severity === 'info' ? [] : wrapText(plainText(finding.meaning), columns, 12)),
    `            ${finding.id}${finding.repair === null ? '' : `   repair: ${finding.repair}`}`,
    '',
  ];
};

/** Findings as paragraphs, without what information alone says. */
export const renderFindings = (findings: readonly Finding[], view: View): string => {
  const style = createStyle(view.colour);
  const problems = problemsAmong(findings);
  if (problems.length === 0) return '';
  return `${['', ...problems.flatMap((finding) => renderFinding(finding, view, style))].join('\n')}`;
};

/** What was found, the worst first, with what shows it; and what to do next. */
export const renderDiagnosis = (
  { findings, notChecked }: Diagnosis,
  target: string,
  view: View,
): string => {
  const style = createStyle(view.colour);
  const problems = problemsAmong(findings);
  const repairable = problems.some(({ repair }) => repair !== null);
  const summary =
    problems.length === 0
      ? style.good('  Nothing was found that keeps this system from booting.')
      : `  ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} found.`;
  const next =
    problems.length === 0
      ? [`  Next: watch it boot: rescuekit verify ${target}`]
      : repairable
        ? [`  Next: see what would be changed: rescuekit repair ${target} --dry-run`]
        : [`  Next: none of it has a safe repair. Look inside: rescuekit rescue ${target}`];
  return `${[
    '',
    ...findings.flatMap((finding) => renderFinding(finding, view, style)),
    ...notChecked.flatMap(({ area, reason }) =>
      wrapText(`Not checked (${area}): ${plainText(reason)}`, view.columns - 1),
    ),
    summary,
    ...next,
  ].join('\n')}\n`;
};
