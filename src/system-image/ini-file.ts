/** A line of a file of sections that its reader cannot take. */
export type IniFault = { readonly line: number; readonly text: string; readonly reason: string };

export type IniEntry = { readonly key: string; readonly value: string; readonly line: number };

export type IniSection = {
  readonly name: string;
  readonly line: number;
  readonly entries: readonly IniEntry[];
};

export type IniFile = {
  readonly sections: readonly IniSection[];
  readonly faults: readonly IniFault[];
};

type Growing = { readonly name: string; readonly line: number; readonly entries: IniEntry[] };

/**
 * Parses what systemd's units and GLib's key files have in common: `[Section]`, `Key=value`, and
 * comments with `#` or `;`. A backslash at the end joins lines when `joins` is true (systemd).
 */
export const parseIni = (text: string, joins: boolean): IniFile => {
  const sections: Growing[] = [];
  const faults: IniFault[] = [];
  let open: { readonly line: number; readonly text: string } | null = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const piece: string = raw.replace(/\r$/, '');
    if (/^\s*[#;]/.test(piece)) continue;
    const line: number = open?.line ?? index + 1;
    const joined: string = `${open?.text ?? ''}${piece}`;
    open = joins && joined.endsWith('\\') ? { line, text: joined.slice(0, -1) } : null;
    const content = joined.trim();
    if (open !== null || content === '') continue;
    const fault = (reason: string) => faults.push({ line, text: content, reason });
    if (content.startsWith('[')) {
      const name = /^\[([^\]]+)\]$/.exec(content)?.[1];
      if (name === undefined) fault('the section name has no closing bracket');
      sections.push({ name: name ?? '', line, entries: [] });
      continue;
    }
    const [, key, value] = /^([^=]+?)\s*=\s*(.*)$/s.exec(content) ?? [];
    if (key === undefined || value === undefined) fault('there is no "="');
    else if (sections.length === 0) fault('it stands before any section');
    else sections.at(-1)?.entries.push({ key, value, line });
  }
  return { sections, faults };
};
