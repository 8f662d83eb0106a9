import {
  findPamFile,
  hasPamModule,
  type PamLine,
  pamModuleDirectories,
  parsePam,
} from '../../system-image/pam.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';
import type { Finding } from '../finding.ts';

/** An included file without a line of PAM, and the line that names it. */
type MissingFile = {
  readonly name: string;
  readonly at: PamLine;
  /** It is there and has comments: its maker may have left it without modules. */
  readonly commented: boolean;
};

type Stack = {
  readonly lines: readonly PamLine[];
  readonly missing: readonly MissingFile[];
};

/** pam_handlers.c refuses deeper nesting. */
const maxDepth = 32;

const empty: Stack = { lines: [], missing: [] };

const merge = (stacks: readonly Stack[]): Stack => ({
  lines: stacks.flatMap(({ lines }) => lines),
  missing: stacks.flatMap(({ missing }) => missing),
});

/** A file without any line of PAM, which an update or a full disk left behind, is as good as none. */
const isBlank = (lines: readonly PamLine[]): boolean => lines.length === 0;

const hasComment = (text: string): boolean => /^\s*#/m.test(text);

const readStack = async (
  files: SystemFiles,
  name: string,
  at: PamLine | null,
  depth = 0,
): Promise<Stack> => {
  const path = await findPamFile(files, name);
  const text = path === null ? '' : ((await files.read(path)) ?? '');
  const lines = path === null ? [] : parsePam(path, text);
  if (isBlank(lines)) {
    const commented = hasComment(text);
    return at === null ? empty : { lines: [], missing: [{ name, at, commented }] };
  }
  if (depth > maxDepth) return empty;
  const nested: Stack[] = [];
  for (const line of lines) {
    if (line.kind === 'include') nested.push(await readStack(files, line.file, line, depth + 1));
  }
  return merge([{ lines, missing: [] }, ...nested]);
};

const types = new Set(['auth', 'account', 'password', 'session']);
const controls = new Set(['required', 'requisite', 'sufficient', 'optional', 'binding']);

/** The result of a module that cannot be loaded ends or spoils the stack. */
export const failsWhenMissing = (control: string): boolean => {
  if (control === 'required' || control === 'requisite') return true;
  if (!control.startsWith('[')) return false;
  const actions = new Map(
    [...control.matchAll(/(\w+)=(\w+)/g)].map(([, result = '', action = '']) => [result, action]),
  );
  const action = actions.get('module_unknown') ?? actions.get('default') ?? 'ignore';
  return action === 'bad' || action === 'die';
};

const typeOf = (type: string): string => type.replace(/^-/, '').toLowerCase();

/**
 * Whether a blank file is a fault. Where one type is included (`account include FILE`), PAM goes on
 * with the service's other modules of that type: pam-config of SUSE leaves its `postlogin-*` files
 * with their comment alone. `@include` takes a file for what it holds, and its makers leave none blank.
 */
const isFault = ({ at, commented }: MissingFile, lines: readonly PamLine[]): boolean => {
  if (!commented || at.kind !== 'include' || at.type === null) return true;
  const wanted = typeOf(at.type);
  return !lines.some((line) => line.kind === 'module' && typeOf(line.type) === wanted);
};

const syntaxReason = (line: PamLine): string | null => {
  if (line.kind === 'unreadable') return 'is not a line of PAM';
  if (line.kind === 'include') return null;
  if (!types.has(typeOf(line.type))) return `begins with the unknown type "${line.type}"`;
  if (!line.control.startsWith('[') && !controls.has(line.control.toLowerCase())) {
    return `has the unknown control "${line.control}"`;
  }
  return null;
};

const broken = 'PAM then refuses every login through';

const services = [
  { name: 'sshd', title: 'ssh', gate: true },
  { name: 'login', title: 'the console', gate: true },
  { name: 'su', title: 'su', gate: false },
  { name: 'sudo', title: 'sudo', gate: false },
] as const;

type Service = (typeof services)[number];

type Place = { readonly line: PamLine; readonly services: readonly Service[] };

const severityOf = (place: Place): Finding['severity'] =>
  place.services.some(({ gate }) => gate) ? 'critical' : 'warning';

const common = (place: Place): Pick<Finding, 'severity' | 'meaning' | 'evidence'> => ({
  severity: severityOf(place),
  evidence: [fileEvidence(place.line.path, place.line.line, place.line.text)],
  meaning: `${broken} ${place.services.map(({ title }) => title).join(', ')}, with keys as well.`,
});

const missingInclude = (place: Place, name: string): Finding => ({
  ...common(place),
  id: 'access.pam-file-missing',
  title: `The PAM file ${name}, which ${place.line.path} includes, is missing or empty`,
  subject: name,
  repair: 'access.pam-common-files',
});

const missingModule = (place: Place, module: string): Finding => ({
  ...common(place),
  id: 'access.pam-module-missing',
  title: `The PAM module ${module} that ${place.line.path} requires is not on the disk`,
  subject: `${place.line.path}:${place.line.line}`,
  repair: 'access.pam-module-optional',
});

const badLine = (place: Place, reason: string): Finding => ({
  ...common(place),
  id: 'access.pam-line-invalid',
  title: `Line ${place.line.line} of ${place.line.path} ${reason}`,
  subject: `${place.line.path}:${place.line.line}`,
  repair: 'access.pam-line',
});

type Named<T> = T & { readonly service: Service };

/** One place for each line, with all services that come by it. */
const gather = <T extends { readonly at: PamLine }>(
  all: readonly Named<T>[],
): readonly { readonly item: T; readonly place: Place }[] => {
  const keys = [...new Set(all.map(({ at }) => `${at.path}:${at.line}`))];
  return keys.flatMap((key) => {
    const same = all.filter(({ at }) => `${at.path}:${at.line}` === key);
    const [item] = same;
    if (item === undefined) return [];
    return [{ item, place: { line: item.at, services: same.map(({ service }) => service) } }];
  });
};

// A missing file is one fault, however many services name it.
const onePerFile = (all: readonly Named<MissingFile>[]): readonly Finding[] =>
  [...new Set(all.map(({ name }) => name))].flatMap((name) => {
    const same = all.filter((each) => each.name === name);
    const [first] = same;
    const users = [...new Set(same.map(({ service }) => service))];
    return first === undefined ? [] : [missingInclude({ line: first.at, services: users }, name)];
  });

/** Modules, included files and the form of each line, for the services by which people log in. */
export const pamCheck: Check = {
  area: 'access',
  finds: ['access.pam-file-missing', 'access.pam-module-missing', 'access.pam-line-invalid'],
  run: async ({ files }) => {
    const places = await pamModuleDirectories(files);
    if (places.length === 0) return [];
    const stacks = await Promise.all(
      services.map(async (service) => ({
        service,
        ...(await readStack(files, service.name, null)),
      })),
    );
    const lines = stacks.flatMap(({ service, lines }) => lines.map((at) => ({ at, service })));
    const findings = await Promise.all(
      gather(lines).map(async ({ place }) => {
        const { line } = place;
        const reason = syntaxReason(line);
        if (reason !== null) return badLine(place, reason);
        if (line.kind !== 'module' || typeOf(line.type) === 'password') return null;
        if (!failsWhenMissing(line.control)) return null;
        const there = await hasPamModule(files, places, line.module);
        return there ? null : missingModule(place, line.module);
      }),
    );
    return [
      ...onePerFile(
        stacks.flatMap(({ service, lines, missing }) =>
          missing.flatMap((each) => (isFault(each, lines) ? [{ ...each, service }] : [])),
        ),
      ),
      ...findings.filter((finding) => finding !== null),
    ];
  },
};
