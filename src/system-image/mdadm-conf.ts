import type { Files } from '../host/files.ts';
import { plainText } from '../host/plain-text.ts';
import { readInside } from './inside.ts';
import type { ArrayLine } from './system-facts.ts';

/** Debian's place and the one of the others (mdadm.conf(5)). */
const places = ['/etc/mdadm/mdadm.conf', '/etc/mdadm.conf'];

/** A line that begins with a blank goes on with the one before it; `#` and blank lines are none. */
const logicalLines = (
  text: string,
): readonly { readonly line: number; readonly text: string }[] => {
  const lines: { line: number; text: string }[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const content = raw.replace(/(?:^|[ \t])#.*$/, '').trimEnd();
    const last = lines.at(-1);
    if (content === '') continue;
    if (/^[ \t]/.test(content) && last !== undefined) last.text += content;
    else lines.push({ line: index + 1, text: content.trim() });
  }
  return lines;
};

/** The words of a line; quotes keep blanks together (mdadm's dlink.c and config.c). */
const wordsOf = (text: string): readonly string[] =>
  [...text.matchAll(/(?:"[^"]*"|'[^']*'|[^ \t"'])+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'),
  );

/** 32 hex digits with any punctuation, as mdadm accepts them, in the form that it writes. */
const normalUuid = (text: string): string | null => {
  const digits = text.replace(/[:.\- ]/g, '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? (digits.match(/.{8}/g)?.join(':') ?? null) : null;
};

/** `md0`, `/dev/md/0` and `/dev/md0` are one name; a bare word is one below /dev/md. */
export const arrayNode = (name: string): string => {
  const bare = name.replace(/^\/dev\/(?:md\/)?/, '');
  const number = /^(?:md)?(\d+)$/.exec(bare)?.[1];
  if (number !== undefined) return `/dev/md${Number(number)}`;
  return name.startsWith('/dev/') && !name.startsWith('/dev/md/') ? name : `/dev/md/${bare}`;
};

const arrayLine = (line: number, words: readonly string[]): ArrayLine => {
  const tags = words.filter((word) => word.includes('='));
  const value = (tag: string): string | null =>
    tags.find((word) => word.toLowerCase().startsWith(`${tag}=`))?.slice(tag.length + 1) ?? null;
  const device = words.find((word) => !word.includes('=')) ?? null;
  const minor = value('super-minor');
  return {
    line,
    device: device === null || device.startsWith('<') ? null : plainText(arrayNode(device)),
    uuid: normalUuid(value('uuid') ?? ''),
    name: value('name') === null ? null : plainText(value('name') ?? ''),
    superMinor: minor !== null && /^\d{1,9}$/.test(minor) ? Number(minor) : null,
  };
};

/**
 * The ARRAY lines of mdadm.conf(5): which array gets which name. Keywords may be cut to three
 * letters and have any case. Lines for `<ignore>` have no device.
 */
export const parseMdadmConf = (text: string): readonly ArrayLine[] =>
  logicalLines(text).flatMap(({ line, text: content }) => {
    const [keyword = '', ...words] = wordsOf(content);
    const isArray = keyword.length >= 3 && 'array'.startsWith(keyword.toLowerCase());
    return isArray && !words[0]?.startsWith('<') ? [arrayLine(line, words)] : [];
  });

/** The arrays that a system names; Debian's file counts before the other. */
export const readArrays = async (files: Files, root: string): Promise<readonly ArrayLine[]> => {
  const texts = await Promise.all(places.map((path) => readInside(files, root, path)));
  return parseMdadmConf(texts.find((text) => text !== null) ?? '');
};
