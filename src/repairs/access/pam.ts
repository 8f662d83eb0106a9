import type { Change } from '../../changes/change.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { nearestWord } from '../../system-image/nearest-word.ts';
import { editLines, placesOf, throughLinks } from '../edit-lines.ts';
import { planned, refused, together } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';

/** Without these nothing is left that checks a password, or everything is let in. */
const pillars = /^pam_(?:unix|deny|permit|rootok|sss|nologin)\.so$/;

const moduleIn = (line: string): string =>
  /^\S+\s+(?:\[[^\]]*\]|\S+)\s+(\S+)/.exec(line.trim())?.[1]?.split('/').at(-1) ?? '';

/** Only the control word changes: taking the line out would shift the jumps of others. */
const asOptional = (line: string): string =>
  line.replace(/^(\s*\S+\s+)(?:\[[^\]]*\]|\S+)/, '$1optional');

const editPlaces = async (
  { files }: Subject,
  findings: readonly Finding[],
  edit: (line: string) => string | null,
): Promise<RepairPlan> => {
  const plans = await Promise.all(
    [...placesOf(findings)].map(async ([path, numbers]): Promise<RepairPlan> => {
      const text = (await files.readForEdit(path)) ?? '';
      const lines = text.split('\n');
      const edits = numbers.map((number) => [number, edit(lines[number - 1] ?? '')] as const);
      const open = edits.find(([, edited]) => edited === null);
      if (open !== undefined) {
        return refused(
          `line ${open[0]} of ${path} cannot be mended without knowing what it was meant to do`,
          'Compare the file with that of another machine, or reinstall the package it belongs to in a rescue shell.',
        );
      }
      const content = editLines(
        text,
        new Map(edits.map(([number, edited]) => [number, () => edited] as const)),
      );
      return planned([{ kind: 'write-file', path: await throughLinks(files, path), content }]);
    }),
  );
  return together(plans);
};

/** Lets the login go on without a module that is not there. */
export const pamModuleOptional: Repair = {
  id: 'access.pam-module-optional',
  stage: 'access',
  title: 'Make PAM modules optional that are not on the disk',
  why: 'PAM refuses every login when a required module cannot be loaded.',
  risk: 'What the module was to ask for (a second factor, a limit) is not asked for until it is back.',
  proof: 'container',
  plan: (subject, findings) =>
    editPlaces(subject, findings, (line) =>
      pillars.test(moduleIn(line)) ? null : asOptional(line),
    ),
};

const types = ['auth', 'account', 'password', 'session'];
const controls = ['required', 'requisite', 'sufficient', 'optional', 'include', 'substack'];

/** The word that stands in the way, corrected when it can only be one. */
const corrected = (line: string): string | null => {
  const [, lead = '', type = '', gap = '', control = '', rest = ''] =
    /^(\s*-?)([^\s-]\S*)(\s+)(\[[^\]]*\]|\S+)(\s+\S.*)$/s.exec(line) ?? [];
  const goodType = types.includes(type) ? type : nearestWord(type, types);
  const goodControl =
    control.startsWith('[') || controls.includes(control)
      ? control
      : nearestWord(control, controls);
  if (goodType === null || goodControl === null || rest === '') return null;
  return `${lead}${goodType}${gap}${goodControl}${rest}`;
};

/** Corrects a mistyped word. */
export const pamLine: Repair = {
  id: 'access.pam-line',
  stage: 'access',
  title: 'Correct the mistyped word in a line of PAM',
  why: 'PAM refuses every login of a service with a line that it cannot read.',
  risk: 'None: only a word that can be no other one is corrected.',
  proof: 'container',
  plan: (subject, findings) => editPlaces(subject, findings, corrected),
};

const update = ['/usr/sbin/pam-auth-update', '--package', '--force'];

const pathOf = (change: Change): string => ('path' in change ? change.path : '');

/** Has Debian's pam-auth-update make the common files again, of which only the lost ones are taken. */
export const pamCommonFiles: Repair = {
  id: 'access.pam-common-files',
  stage: 'access',
  title: 'Make the lost common PAM files again',
  why: 'PAM refuses every login of a service that includes a missing file.',
  risk: 'What was edited by hand in the lost file is lost.',
  proof: 'container',
  plan: async (subject, findings, { bench }) => {
    const paths = findings.map((finding) => `/etc/pam.d/${finding.subject}`);
    const known = paths.every((path) => /\/common-[a-z-]+$/.test(path));
    if (!known || !(await subject.files.isFilled(update[0] ?? ''))) {
      return refused(
        `nothing on the disk makes ${paths.join(', ')}`,
        'Reinstall the package that the file belongs to in a rescue shell with network.',
      );
    }
    const { results, changes } = await bench([
      { words: update, env: { DEBIAN_FRONTEND: 'noninteractive' } },
    ]);
    const wanted = changes.filter((change) => paths.includes(pathOf(change)));
    if (wanted.length < paths.length) {
      return refused(
        `pam-auth-update did not make ${paths.join(', ')}: ${results[0]?.stderr.trim() ?? 'it could not be run'}`,
        'Run `pam-auth-update --force` in a rescue shell.',
      );
    }
    return planned(wanted, [update]);
  },
};
