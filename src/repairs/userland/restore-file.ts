import type { Finding } from '../../diagnosis/finding.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { knownModes } from '../../diagnosis/userland/known-modes.ts';
import { type DpkgOwner, ownersOf } from '../../system-image/dpkg-files.ts';
import { largestFile } from '../../system-image/take-file.ts';
import { planned, refused, together } from '../plan.ts';
import type { Repair, RepairPlan } from '../repair.ts';
import { linkTargetFor } from './library-link.ts';
import { md5Of, pristineCopy } from './pristine-copy.ts';

const fromPackages =
  'Download the package on another machine, put the .deb into /var/cache/apt/archives of this disk, and repair again.';

/** Programs, the loader and glibc itself are executable; other libraries are not. */
const modeOf = (path: string): number => {
  const known = knownModes.find((one) => one.path === path);
  if (known !== undefined) return known.mode;
  if (/\/(?:ld|libc)[-.][^/]*$/.test(path)) return 0o755;
  return /\/(?:s?bin|systemd)\/[^/]+$/.test(path) && !/\.so\b/.test(path) ? 0o755 : 0o644;
};

const missingOwner = (path: string): RepairPlan =>
  refused(
    `No package of this system is known to bring ${path}.`,
    'Restore the file from a backup, or from a system of the same release.',
  );

const link = async (subject: Subject, owner: DpkgOwner): Promise<RepairPlan> => {
  const to = await linkTargetFor(subject, owner);
  if (to !== null) return planned([{ kind: 'make-link', path: owner.path, to }]);
  return refused(
    `${owner.path} of the package ${owner.name} was a link, and what it led to is not found.`,
    fromPackages,
  );
};

const isExecutableOnly = (finding: Finding): boolean =>
  finding.evidence.some((one) => one.kind === 'file' && one.text === 'may not be executed');

const tooOld = (path: string, { name }: DpkgOwner): RepairPlan =>
  refused(
    `${path} is as its package ${name} has it; the programs that want more are newer: an upgrade was cut off.`,
    fromPackages,
  );

const restore = async (
  subject: Subject,
  owner: DpkgOwner,
  path: string,
  md5: string,
): Promise<RepairPlan> => {
  const there = await subject.files.bytes(path, largestFile);
  if (there !== null && md5Of(there) === md5) return tooOld(path, owner);
  const copy = await pristineCopy(subject, owner, md5);
  if (copy === null) {
    return refused(
      `This disk has no undamaged copy of ${path} (package ${owner.name}).`,
      fromPackages,
    );
  }
  const isNew = (await subject.files.entry(path)) === null;
  const attributes = isNew ? { mode: modeOf(path), uid: 0, gid: 0 } : {};
  return planned([{ kind: 'write-file', path, content: copy, attributes }]);
};

type Wanted = { readonly finding: Finding; readonly path: string; readonly isThere: boolean };

/** What is damaged is the file that a link leads to, and that is in a package's list of files. */
const wantedOf = async ({ files }: Subject, finding: Finding): Promise<Wanted> => {
  const { subject: path } = finding;
  const found = path.includes('/') ? await files.locate(path) : null;
  return { finding, path: found?.path ?? path, isThere: found !== null };
};

const planFor = async (
  subject: Subject,
  { finding, path, isThere }: Wanted,
  owner: DpkgOwner | undefined,
): Promise<RepairPlan> => {
  if (isExecutableOnly(finding) && isThere) {
    return planned([{ kind: 'set-attributes', path, attributes: { mode: modeOf(path) } }]);
  }
  if (owner === undefined) return missingOwner(path);
  if (owner.md5 === null) return link(subject, owner);
  return restore(subject, owner, isThere ? path : owner.path, owner.md5);
};

/** Restores one path of a package that is missing or damaged. */
export const restorePath = async (subject: Subject, path: string): Promise<RepairPlan> => {
  const owner = (await ownersOf(subject.files, [path])).get(path);
  if (owner === undefined) return missingOwner(path);
  return owner.md5 === null ? link(subject, owner) : restore(subject, owner, path, owner.md5);
};

export const restoreFileRepair: Repair = {
  id: 'userland.restore-file',
  stage: 'packages',
  title: 'Restore programs and libraries from a copy on this disk',
  why: 'Without them the init, the shell, logins, ssh or the network do not start; their packages are known, and an undamaged copy is on the disk.',
  risk: 'Only a copy with the checksum that dpkg noted at installation is taken.',
  proof: 'container',
  plan: async (subject, findings) => {
    const all = await Promise.all(findings.map((finding) => wantedOf(subject, finding)));
    // One library may be what several findings are about.
    const wanted = [...new Map(all.map((one) => [one.path, one])).values()];
    const owners = await ownersOf(
      subject.files,
      wanted.map(({ path }) => path),
    );
    const plans = await Promise.all(
      wanted.map((one) => planFor(subject, one, owners.get(one.path))),
    );
    // One that cannot be restored does not keep the others from it.
    const possible = plans.filter(({ kind }) => kind === 'changes');
    return together(possible.length === 0 ? plans : possible);
  },
};
