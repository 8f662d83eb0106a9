// Measures assembling and taking down LVM on RAID1 against the same commands by hand, in the lab's
// machine; see scripts/bench.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { attachDisk } from '../fixtures/lab/disks.ts';
import { downMachine, inMachine, upMachine } from '../fixtures/lab/machine.ts';
import { installProgram } from '../fixtures/lab/program.ts';
import { stackDisks } from '../fixtures/stacks/stack-disks.ts';
import { createHost } from '../src/host/host.ts';

/** Before the disks are attached: else udev assembles and activates them by itself. */
const withoutActivation = `for rule in 64-md-raid-assembly.rules 69-lvm.rules; do
  ln -sf /dev/null /etc/udev/rules.d/$rule
done
udevadm control --reload`;

/**
 * Both in turn on the same disks, in the machine itself: ssh is not measured. By hand are the commands
 * of someone who knows the names; `--skip-check` leaves out what has nothing to do with the stack.
 */
const guestScript = (one: string, two: string, count: number): string => `set -eu
ours() {
  rescuekit mount ${one} --skip-check >/dev/null 2>&1
  rescuekit cleanup >/dev/null 2>&1
}
hand() {
  mdadm --examine ${one} ${two} >/dev/null
  mdadm --assemble --quiet /dev/md999 ${one} ${two}
  udevadm settle
  group=$(pvs --noheadings --options vg_name --devices /dev/md999 | tr -d ' ')
  vgchange --quiet --activate y --devices /dev/md999 "$group" >/dev/null
  udevadm settle
  lsblk --json >/dev/null
  for node in $(lvs --noheadings --options lv_path --devices /dev/md999 "$group"); do
    mkdir -p /mnt/by-hand
    mount "$node" /mnt/by-hand
    umount /mnt/by-hand
  done
  vgchange --quiet --activate n --devices /dev/md999 "$group" >/dev/null
  mdadm --stop --quiet /dev/md999
  udevadm settle
}
now() { date +%s%N; }
ours; hand
for run in $(seq ${count}); do
  a=$(now); ours; b=$(now); hand; c=$(now)
  echo "$(((b - a) / 1000000)) $(((c - b) / 1000000))"
done`;

const line = z
  .string()
  .transform((text) => text.split(' ').map(Number))
  .pipe(z.tuple([z.number(), z.number()]));

/** Milliseconds of pairs: rescuekit, by hand. */
export const measureStack = async (
  count: number,
): Promise<readonly { readonly ours: number; readonly theirs: number }[]> => {
  const host = createHost();
  const directory = mkdtempSync(join(tmpdir(), 'rescuekit-bench-stack-'));
  let machine = await upMachine(host, `bench-${process.pid}`, 'caller');
  try {
    await installProgram(host, machine);
    await inMachine(host, machine, withoutActivation);
    const { files } = await stackDisks(host, 'lvm-raid1', directory);
    const devices: string[] = [];
    for (const [index, file] of files.entries()) {
      const options = { serial: `bench${index}`, bus: 'virtio', write: true } as const;
      const attached = await attachDisk(host, machine, file, options);
      machine = attached.machine;
      devices.push(attached.device);
    }
    const [one = '', two = ''] = devices;
    const options = { timeoutSeconds: 1200 };
    const printed = await inMachine(host, machine, guestScript(one, two, count), options);
    return printed
      .trim()
      .split('\n')
      .map((text) => {
        const [ours, theirs] = line.parse(text);
        return { ours, theirs };
      });
  } finally {
    await downMachine(host, machine);
    rmSync(directory, { recursive: true, force: true });
  }
};
