import type { Host } from '../host/host.ts';

const directory = '/run/lvm';

/** One file of LVM's list: the device's number, then `vg:NAME` (pvscan(8)). */
export const parseOnline = (text: string): { readonly number: string; readonly group: string } => ({
  number: text.split('\n')[0]?.trim() ?? '',
  group: /^vg:(.+)$/m.exec(text)?.[1]?.trim() ?? '',
});

/**
 * Files by which LVM remembers that it has seen physical volumes and activated their groups. As long
 * as they are there udev activates a group no second time, also when it was taken down meanwhile.
 *
 * @param numbers `major:minor` of the devices.
 */
export const onlineFiles = async (
  { files }: Host,
  numbers: ReadonlySet<string>,
): Promise<readonly string[]> => {
  const names = (await files.list(`${directory}/pvs_online`)) ?? [];
  const found = await Promise.all(
    names.map(async (name): Promise<readonly string[]> => {
      const path = `${directory}/pvs_online/${name}`;
      const { number, group } = parseOnline((await files.readText(path)) ?? '');
      if (!numbers.has(number)) return [];
      return group === '' ? [path] : [path, `${directory}/vgs_online/${group}`];
    }),
  );
  return [...new Set(found.flat())];
};
