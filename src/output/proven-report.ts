import { plainText } from '../host/plain-text.ts';
import type { Proof } from '../verification/proof.ts';
import { reachedWords } from './proof-report.ts';
import { createStyle } from './style.ts';
import type { View } from './terminal.ts';
import { wrapText } from './wrap.ts';

/** What is proven of a repair, in one or two sentences; "boots" only of what was watched. */
export const renderProven = (
  result: {
    readonly proof: Proof | null;
    readonly proven: boolean;
    readonly notProven: string | null;
  },
  view: View,
): string => {
  const { proof, proven, notProven } = result;
  const style = createStyle(view.colour);
  const columns = view.columns - 1;
  const lines: string[] = [];
  if (proof !== null) {
    const where =
      proof.method === 'vm' ? 'in a virtual machine, from its own boot loader' : 'in a container';
    const reached = `${plainText(reachedWords(proof))} was reached in ${proof.seconds.toFixed(1)} s ${where}`;
    const words = proven
      ? `Proven: it boots, ${reached}.`
      : proof.boots
        ? `Watched: ${reached}.`
        : proof.notJudged !== null
          ? `Not judged: ${plainText(proof.notJudged)}`
          : `It does not boot: ${plainText(proof.cause ?? 'the boot did not reach its end')}`;
    const colour = proof.boots ? style.good : proof.notJudged !== null ? style.warning : style.bad;
    lines.push(...wrapText(words, columns).map(colour));
    const failed = proof.failedUnits.map(plainText).join(', ');
    if (failed !== '')
      lines.push(...wrapText(`Failed units: ${failed}`, columns).map(style.warning));
  }
  if (notProven !== null && notProven !== proof?.notJudged) {
    lines.push(...wrapText(`Not proven: ${plainText(notProven)}.`, columns).map(style.warning));
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
};
