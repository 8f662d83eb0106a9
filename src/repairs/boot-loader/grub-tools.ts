import type { Change } from '../../changes/change.ts';
import { shellQuote } from '../../host/command.ts';
import type { SystemFiles } from '../../system-image/system-files.ts';
import type { GrubPlace, GrubPlaces } from './grub-places.ts';

/** GRUB's tools as a system has them: Debian's `grub-…`, Fedora's and SUSE's `grub2-…`. */
export type GrubTools = {
  readonly name: 'grub' | 'grub2';
  /** Paths in the system; null for a tool that is not there. */
  readonly mkconfig: string | null;
  readonly mkimage: string | null;
  readonly probe: string | null;
  readonly mkrelpath: string | null;
};

const places = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

const findTool = async (files: SystemFiles, name: string): Promise<string | null> => {
  const paths = places.map((place) => `${place}/${name}`);
  const filled = await Promise.all(paths.map((path) => files.isFilled(path)));
  return paths.find((_, index) => filled[index] === true) ?? null;
};

/** The system's own tools. */
export const findGrubTools = async (files: SystemFiles): Promise<GrubTools> => {
  const name = (await files.isDirectory('/boot/grub2')) ? 'grub2' : 'grub';
  const [mkconfig, mkimage, probe, mkrelpath] = await Promise.all(
    ['mkconfig', 'mkimage', 'probe', 'mkrelpath'].map((tool) => findTool(files, `${name}-${tool}`)),
  );
  return {
    name,
    mkconfig: mkconfig ?? null,
    mkimage: mkimage ?? null,
    probe: probe ?? null,
    mkrelpath: mkrelpath ?? null,
  };
};

const quoted = (text: string): string => shellQuote(text);

const answers = ({
  device,
  fsModule,
  uuid,
  partUuid,
  partitionMap,
  abstraction,
  hint,
}: GrubPlace): string => `case $target in
    device) echo ${quoted(device)} ;;
    fs) echo ${quoted(fsModule)} ;;
    fs_uuid) echo ${quoted(uuid)} ;;
    partuuid) echo ${quoted(partUuid ?? '')} ;;
    partmap) echo ${quoted(partitionMap)} ;;
    abstraction) echo ${quoted(abstraction.join(' '))} ;;
    compatibility_hint | drive | bios_hints | efi_hints) echo ${quoted(hint)} ;;
    hints_string) echo ${quoted(hint === '' ? '' : `--hint='${hint}'`)} ;;
    *) exit 1 ;;
  esac`;

/** The mount point `/boot` and what is below it belong to the file system of /boot. */
const probeScript = ({ root, boot }: GrubPlaces): string => `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --target=*) target=\${1#*=} ;;
    -t | --target) target=$2; shift ;;
    -*) ;;
    *) what=$1 ;;
  esac
  shift
done
case $what in
  /boot | /boot/* | ${quoted(boot.device)})
  ${answers(boot)} ;;
  *)
  ${answers(root)} ;;
esac
`;

const mkrelpathScript = ({ root, boot }: GrubPlaces): string => `#!/bin/sh
while [ $# -gt 1 ]; do shift; done
case $1 in
  ${boot === root ? '/no-such-path' : '/boot | /boot/*'}) path=${quoted(boot.top)}\${1#/boot} ;;
  *) path=${quoted(root.top)}$1 ;;
esac
echo "\${path:-/}"
`;

const program = (path: string, content: string): Change => ({
  kind: 'write-file',
  path,
  content,
  attributes: { mode: 0o755 },
});

/**
 * Stand-ins for the workbench: grub-mkconfig asks grub-probe what a file system is on, which only
 * the booted machine knows (an overlay gives "failed to get canonical path"). What is known of the
 * attached disks answers instead. They live on the layer only.
 */
export const standIns = (tools: GrubTools, grub: GrubPlaces): readonly Change[] => [
  ...(tools.probe === null ? [] : [program(tools.probe, probeScript(grub))]),
  ...(tools.mkrelpath === null ? [] : [program(tools.mkrelpath, mkrelpathScript(grub))]),
];

/** grub-mkconfig writes root=UUID only where udev has made this link. */
export const uuidLinks = ({ root, boot }: GrubPlaces): string =>
  [...new Set([root.uuid, boot.uuid])]
    .map((uuid) => `touch ${quoted(`/dev/disk/by-uuid/${uuid}`)}`)
    .join(' && ');
