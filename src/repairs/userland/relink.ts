import type { Change } from '../../changes/change.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const linkNames = ['/bin', '/sbin', '/lib', '/lib64'];

/** Whether the others are links into /usr: then this one was, too. */
const isMerged = async (files: SystemFiles): Promise<boolean> => {
  const links = await Promise.all(linkNames.map((path) => files.link(path)));
  return links.some((link) => /^\/?usr\//.test(link ?? ''));
};

/** glibc's loader by its name in the directories of the architecture (merged or not). */
const loaderNames: readonly (readonly [string, string])[] = [
  ['/lib64/ld-linux-x86-64.so.2', 'x86_64-linux-gnu'],
  ['/lib64/ld64.so.2', 'powerpc64le-linux-gnu'],
  ['/lib/ld-linux-aarch64.so.1', 'aarch64-linux-gnu'],
];

/** Debian keeps nothing in /lib64 but the link to the loader, which can be made anew. */
const loaderLink = async (files: SystemFiles, top: string): Promise<readonly Change[] | null> => {
  for (const [path, architecture] of loaderNames) {
    if (!path.startsWith(`${top}/`)) continue;
    const name = path.slice(top.length + 1);
    const to = [`/lib/${architecture}/${name}`, `/usr/lib/${architecture}/${name}`];
    const found = await Promise.all(to.map((one) => files.status(one)));
    const target = to.find((_, index) => found[index]?.kind === 'file');
    if (target !== undefined) return [{ kind: 'make-link', path, to: target }];
  }
  return null;
};

const emptyDirectory = (path: string): Change => ({
  kind: 'make-directory',
  path,
  attributes: { mode: 0o755, uid: 0, gid: 0 },
});

/** A dangling link is taken away first; a file that stands there is the person's and stays. */
const clearing = async (files: SystemFiles, path: string): Promise<readonly Change[] | null> => {
  const entry = await files.entry(path);
  if (entry === null) return [];
  return entry.status.kind === 'symlink' ? [{ kind: 'remove', path }] : null;
};

const changesFor = async (
  files: SystemFiles,
  path: string,
  merged: boolean,
): Promise<readonly Change[] | null> => {
  const cleared = await clearing(files, path);
  if (cleared === null) return null;
  const inUsr = `usr${path}`;
  if (await files.isDirectory(`/${inUsr}`)) {
    if (!merged) return null;
    return [{ kind: 'make-link', path, to: inUsr }];
  }
  const loader = path === '/lib64' ? await loaderLink(files, path) : null;
  if (loader === null) return null;
  return merged
    ? [emptyDirectory(`/${inUsr}`), { kind: 'make-link', path, to: inUsr }, ...loader]
    : [...cleared, emptyDirectory(path), ...loader];
};

const plan = async ({ files }: Subject, paths: readonly string[]) => {
  const usrHasPrograms = (await files.status('/usr/bin/sh')) !== null;
  const merged = (await isMerged(files)) || usrHasPrograms;
  const parts = await Promise.all(paths.map((path) => changesFor(files, path, merged)));
  const lost = paths.filter((_, index) => parts[index] === null);
  if (lost.length > 0) {
    return refused(
      `What was in ${lost.join(', ')} is not found elsewhere on this disk.`,
      'Look for a moved or renamed copy, or take the files from the packages or a backup.',
    );
  }
  return planned(parts.flatMap((part) => part ?? []));
};

export const relinkRepair: Repair = {
  id: 'userland.relink',
  stage: 'packages',
  title: 'Make the missing top-level links again',
  why: 'The kernel, the loader and scripts use these paths; what they lead to is still in /usr.',
  risk: 'None: a link is made, nothing is moved.',
  proof: 'container',
  plan: (subject, findings) =>
    plan(
      subject,
      findings.map((finding) => finding.subject),
    ),
};
