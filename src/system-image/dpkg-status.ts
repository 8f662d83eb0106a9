/** A package as /var/lib/dpkg/status has it (deb822(5), dpkg(1)). */
export type DpkgPackage = {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** What is wanted of it: install, hold, deinstall, purge. */
  readonly want: string;
  /** `ok`, or `reinstreq` when it has to be installed again. */
  readonly flag: string;
  /** installed, half-installed, unpacked, half-configured, triggers-awaited, … */
  readonly state: string;
};

const packageOf = (paragraph: string): DpkgPackage | null => {
  const fields = new Map<string, string>();
  for (const line of paragraph.split('\n')) {
    const match = /^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)$/.exec(line);
    if (match?.[1] !== undefined) fields.set(match[1].toLowerCase(), (match[2] ?? '').trim());
  }
  const name = fields.get('package');
  const [want = '', flag = '', state = ''] = (fields.get('status') ?? '').split(/\s+/);
  if (name === undefined || name === '' || state === '') return null;
  return {
    name,
    version: fields.get('version') ?? '',
    architecture: fields.get('architecture') ?? '',
    want,
    flag,
    state,
  };
};

/** Parses a status file; paragraphs that are no package are passed over. */
export const parseDpkgStatus = (text: string): readonly DpkgPackage[] =>
  text
    .split(/\n[ \t]*\n/)
    .map(packageOf)
    .filter((one) => one !== null);
