import type { Subject } from '../../diagnosis/subject.ts';
import { isMachineId } from '../../diagnosis/userland/machine-id.ts';
import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

const path = '/etc/machine-id';

/** Where the same id is kept as well: D-Bus's own file, and the directory of the journal. */
const knownId = async ({ files }: Subject): Promise<string | null> => {
  const dbus = (await files.read('/var/lib/dbus/machine-id', 4096)) ?? '';
  if (isMachineId(dbus)) return dbus.trim();
  const journals = ((await files.list('/var/log/journal')) ?? []).filter(isMachineId);
  // Several are those of clones or of the time before: none of them is surely this machine's.
  return journals.length === 1 ? (journals[0] ?? null) : null;
};

export const machineIdRepair: Repair = {
  id: 'userland.machine-id',
  stage: 'userland',
  title: 'Write /etc/machine-id again',
  why: 'systemd can use the file while the root is still read-only, but not make it then.',
  risk: 'The id is the one that D-Bus or the journal has. Where neither tells, the file is left empty, and systemd makes a new id at the next boot: licences and DHCP leases that hang on the old one change.',
  proof: 'container',
  plan: async (subject) => {
    const entry = await subject.files.entry(path);
    if (entry !== null && entry.status.kind !== 'file') {
      return refused(`${path} is no regular file.`, 'Move it away, then repair again.');
    }
    const id = await knownId(subject);
    return planned([
      {
        kind: 'write-file',
        path,
        content: id === null ? '' : `${id}\n`,
        attributes: { mode: 0o444, uid: 0, gid: 0 },
      },
    ]);
  },
};
