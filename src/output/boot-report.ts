import type { BootReport } from '../container/boot-report.ts';
import { plainText } from '../host/plain-text.ts';
import { createStyle } from './style.ts';
import type { View } from './terminal.ts';

const indented = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => `      ${plainText(line)}`);

/** What did not go well, with the last lines of journal and console as evidence. */
export const renderBoot = (
  boot: BootReport,
  { unit, journal }: { readonly unit: string; readonly journal: boolean },
  view: View,
): string => {
  const style = createStyle(view.colour);
  const lines: string[] = [];
  if (boot.exec !== null && boot.exec.exitCode !== 0) {
    lines.push(style.warning(`  The command ended with exit status ${boot.exec.exitCode}.`));
  }
  if (boot.timedOut) lines.push(style.bad(`  ${unit} was not reached in time.`));
  else if (boot.emergency) lines.push(style.bad('  The system went into its emergency mode.'));
  else if (boot.reachedTarget === false) lines.push(style.bad(`  ${unit} was not reached.`));
  if (boot.failedUnits.length > 0) {
    lines.push(style.warning(`  Failed units: ${boot.failedUnits.map(plainText).join(', ')}`));
  }
  if (boot.reachedTarget === false && boot.console.length > 0) {
    lines.push('    Last lines of the console:', ...indented(boot.console.slice(-12)));
  }
  const wanted = journal || boot.reachedTarget === false;
  if (wanted && boot.journal !== '') {
    const all = boot.journal.trimEnd().split('\n');
    lines.push('    Journal of this boot:', ...indented(journal ? all : all.slice(-20)));
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
};

/** The last words: is everything down, and where is the record. */
export const renderEnd = (target: string, session: string, cleanedUp: boolean): string =>
  cleanedUp
    ? `\n  Done. Nothing is left attached or mounted. ${target} is safe to detach.\n  Transcript: rescuekit status --transcript ${session}\n`
    : '';
