import { styleText } from 'node:util';

type Paint = (text: string) => string;

/** The few styles that rescuekit uses; with colour off they return the text as it is. */
export type Style = {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly warning: Paint;
  readonly bad: Paint;
  readonly accent: Paint;
};

const plain: Paint = (text) => text;

const painter =
  (format: Parameters<typeof styleText>[0]): Paint =>
  (text) =>
    // Whether the stream wants colour has been decided once, in describeTerminal.
    text === '' ? text : styleText(format, text, { validateStream: false });

/** Styles for text that goes to a terminal with (`true`) or without colour. */
export const createStyle = (colour: boolean): Style =>
  colour
    ? {
        bold: painter('bold'),
        dim: painter('dim'),
        good: painter('green'),
        warning: painter('yellow'),
        bad: painter('red'),
        accent: painter('cyan'),
      }
    : { bold: plain, dim: plain, good: plain, warning: plain, bad: plain, accent: plain };
