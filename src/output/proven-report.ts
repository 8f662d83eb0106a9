import { plainText } from '../host/plain-text.ts';
import type { Proof } from '../verification/proof.ts';
import { reachedWords } from './proof-report.ts';
import { createStyle } from './style.ts';
import type { View } from './terminal.ts';
import { wrapText } from './wrap.ts';

/** A system that says nothing on a serial console is seen by a second start, of its kernel alone. */
const placeWords = ({ method, runs }: Proof): string => {
  if (method === 'container') return 'in a container';
  return runs.at(-1)?.start === 'kernel'
    ? 'in a virtual machine: by its own boot loader as far as the kernel, and from there by that kernel with a serial console'
    : 'in a virtual machine, from its own boot loader';
};

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
    const where = placeWords(proof);
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
