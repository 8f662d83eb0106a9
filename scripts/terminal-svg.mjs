// Draws a terminal screen as SVG, from the text of a real one:
//   tmux capture-pane -e -p | node scripts/terminal-svg.mjs >docs/images/wizard.svg
import { text } from 'node:stream/consumers';

const cell = { width: 8.4, height: 18, margin: 16 };
const normal = '#d8dee9';
const colours = [
  '#4c566a',
  '#e06c75',
  '#98c379',
  '#e5c07b',
  '#61afef',
  '#c678dd',
  '#56b6c2',
  normal,
];

/** Plain spaces in a row would become one. */
const escaped = (words) =>
  words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(' ', '\u00a0');

/** The style after a select-graphic-rendition sequence (ECMA-48). */
const styled = (before, parameters) => {
  let style = before;
  for (const code of parameters.split(/[;:]/).map(Number)) {
    if (code === 0) style = {};
    else if (code === 1) style = { ...style, bold: true };
    else if (code === 2) style = { ...style, dim: true };
    else if (code === 22) style = { ...style, bold: false, dim: false };
    else if (code === 39) style = { ...style, colour: undefined };
    else if (code >= 30 && code <= 37) style = { ...style, colour: colours[code - 30] };
    else if (code >= 90 && code <= 97) style = { ...style, colour: colours[code - 90] };
  }
  return style;
};

const run = (words, column, row, style) => {
  const from = words.length - words.trimStart().length;
  const shown = words.trim();
  const length = [...shown].length;
  if (length === 0) return '';
  const x = (cell.margin + (column + from) * cell.width).toFixed(1);
  const y = cell.margin + row * cell.height + 13;
  const fill = style.colour ?? (style.dim ? '#8b93a3' : normal);
  const weight = style.bold ? ' font-weight="bold"' : '';
  // The given length keeps columns in line, whatever font the reader has.
  return `<text x="${x}" y="${y}" textLength="${(length * cell.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs" fill="${fill}"${weight}>${escaped(shown)}</text>`;
};

const lines = (await text(process.stdin)).trimEnd().split('\n');
let style = {};
let columns = 0;
const drawn = lines.flatMap((line, row) => {
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is parsed
  return line.split(/(\u001b\[[\d;:]*m)/).map((part) => {
    const sequence = part.startsWith('\u001b[') ? part.slice(2, -1) : null;
    if (sequence !== null) style = styled(style, sequence);
    const svg = sequence === null ? run(part, column, row, style) : '';
    if (sequence === null) column += [...part].length;
    columns = Math.max(columns, column);
    return svg;
  });
});
const width = Math.ceil(columns * cell.width + 2 * cell.margin);
const height = lines.length * cell.height + 2 * cell.margin;
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<rect width="100%" height="100%" rx="8" fill="#1e222a"/>
${drawn.filter((svg) => svg !== '').join('\n')}
</svg>
`);
