import { lineText, setField } from '../../system-image/edit-fields.ts';
import { parseSpec } from '../../system-image/fstab-spec.ts';
import type { FstabEntry, Init } from '../../system-image/system-facts.ts';
import type { Repair } from '../repair.ts';
import { editEntries } from './edit-table.ts';

/** Options of a line with nofail; `defaults` says nothing beside others, and stays as it was written. */
export const nofailOptions = (entry: FstabEntry, init: Init): string => {
  const has = (name: string): boolean =>
    entry.options.some((option) => option.split('=', 1)[0] === name);
  const wait = 'x-systemd.device-timeout';
  // A file of the system itself is not waited for: systemd would only warn of the option.
  const isFile = ['file', 'bind'].includes(parseSpec(entry.spec, entry).kind);
  return [
    ...(entry.options.length === 0 ? ['defaults'] : entry.options),
    ...(has('nofail') ? [] : ['nofail']),
    ...(init !== 'systemd' || isFile || has(wait) ? [] : [`${wait}=10s`]),
  ].join(',');
};

/** Lets the boot go on without what is missing, and mount it again once it is back. */
export const addNofail: Repair = {
  id: 'fstab.nofail',
  stage: 'fstab',
  title: 'Let the system boot without what is missing',
  why: 'The line is kept and gets the option nofail: the boot goes on without the device, file or subvolume, waits for a device no longer than 10 seconds, and mounts it as before once it is back.',
  risk: 'Services that keep data there start without it and may write to the empty mount point.',
  proof: 'vm',
  plan: (subject, findings) =>
    editEntries(subject, findings, async ({ entry }, table) => ({
      kind: 'line',
      text: setField(
        lineText(table.text, entry.line),
        3,
        nofailOptions(entry, subject.facts.init),
        ['', '', entry.fsType],
      ),
    })),
};
