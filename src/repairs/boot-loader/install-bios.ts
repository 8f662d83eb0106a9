import { coreBlocks, readCore } from '../../boot-code/grub-core.ts';
import { bootCodeFor, coreFor } from '../../boot-code/write-core.ts';
import type { Change } from '../../changes/change.ts';
import { lookAtBiosStart } from '../../diagnosis/boot-loader/bios-start.ts';
import { type CoreRoom, coreRoom } from '../../diagnosis/boot-loader/core-room.ts';
import { type DiskLook, diskLooks } from '../../diagnosis/boot-loader/disk-look.ts';
import { espsOf } from '../../diagnosis/boot-loader/esp.ts';
import type { Finding } from '../../diagnosis/finding.ts';
import type { Subject } from '../../diagnosis/subject.ts';
import { shellQuote } from '../../host/command.ts';
import { plainText } from '../../host/plain-text.ts';
import { planned, refused } from '../plan.ts';
import type { Repair, RepairPlan, RepairTools } from '../repair.ts';
import { type GrubPlaces, grubDirectoryIn, grubPlaces } from './grub-places.ts';
import { findGrubTools, type GrubTools } from './grub-tools.ts';

const modulesFrom = '/usr/lib/grub/i386-pc';

type Plan = {
  readonly tools: GrubTools;
  readonly places: GrubPlaces;
  readonly mkimage: string;
};

/** What the core image needs to reach /boot/grub, as grub-install would put it together. */
const coreModules = ({ boot }: GrubPlaces): readonly string[] => [
  'biosdisk',
  ...(boot.partitionMap === '' ? [] : [`part_${boot.partitionMap}`]),
  ...boot.abstraction,
  boot.fsModule,
  'search_fs_uuid',
];

/** Run by the system's own shell on the workbench: copies as grub-install does, and makes the core. */
const script = ({ tools, places, mkimage }: Plan): string => {
  const directory = `/boot/${tools.name}/i386-pc`;
  const config = `search.fs_uuid ${places.boot.uuid} root ${places.boot.hint}\nset prefix=($root)${shellQuote(grubDirectoryIn(places, tools.name))}\n`;
  const words = [
    mkimage,
    '--format=i386-pc',
    `--directory=${directory}`,
    `--output=${directory}/core.img`,
    `--prefix=${grubDirectoryIn(places, tools.name)}`,
    `--config=${directory}/load.cfg`,
    ...coreModules(places),
  ];
  return `set -e
mkdir -p ${directory}
for file in ${modulesFrom}/*.mod ${modulesFrom}/*.lst ${modulesFrom}/*.img ${modulesFrom}/*.o; do
  if [ -e "$file" ]; then cp "$file" ${directory}/; fi
done
printf %s ${shellQuote(config)} > ${directory}/load.cfg
exec ${words.map(shellQuote).join(' ')}`;
};

const bytesOf = async (
  { host, files }: Subject,
  changes: readonly Change[],
  path: string,
): Promise<Buffer | null> => {
  const made = changes.find((change) => 'path' in change && change.path === path);
  // The same as before is no change: then the system has it already.
  return made?.kind === 'copy-entry'
    ? host.files.readUntrusted(made.from, 4 * 1024 * 1024)
    : files.bytes(path, 4 * 1024 * 1024);
};

const diskChanges = (
  look: DiskLook,
  room: CoreRoom,
  bootImage: Buffer,
  coreImage: Buffer,
): readonly Change[] | null => {
  const code = bootCodeFor(bootImage, room.sector);
  const core = coreFor(coreImage, room.sector);
  if (code === null || core.length > room.sectors * 512 || readCore(core) === null) return null;
  return [
    {
      kind: 'write-bytes',
      device: look.node,
      offsetBytes: room.sector * 512,
      bytes: core,
      what: `GRUB's core image in ${room.what}`,
    },
    {
      kind: 'write-bytes',
      device: look.node,
      offsetBytes: 0,
      bytes: code,
      what: 'boot code of the MBR; the partition table and the signature of the disk stay',
    },
  ];
};

const byHand = 'Boot the system with rescuekit rescue and run grub-install there.';

const installAll = async (
  subject: Subject,
  benchTools: RepairTools,
  plan: Plan,
  rooms: readonly (readonly [DiskLook, CoreRoom])[],
): Promise<RepairPlan> => {
  const { results, changes } = await benchTools.bench([
    { words: ['/bin/sh', '-c', script(plan)], timeoutSeconds: 180 },
  ]);
  const failed = results.find(({ exitCode }) => exitCode !== 0);
  if (failed !== undefined) {
    return refused(
      `The system's own grub-mkimage failed: ${plainText(failed.stderr).slice(-300)}`,
      byHand,
    );
  }
  const directory = `/boot/${plan.tools.name}/i386-pc`;
  const own = changes.filter((change) => 'path' in change && change.path.startsWith('/boot/'));
  const [bootImage, coreImage] = await Promise.all([
    bytesOf(subject, changes, `${directory}/boot.img`),
    bytesOf(subject, changes, `${directory}/core.img`),
  ]);
  const written = rooms.map(([look, room]) =>
    bootImage === null || coreImage === null ? null : diskChanges(look, room, bootImage, coreImage),
  );
  const disk = written.filter((list) => list !== null);
  return disk.length < written.length
    ? refused("GRUB's core image does not fit in the room that the disk has for it.", byHand)
    : planned([...own, ...disk.flat()], [[plan.mkimage, '--format=i386-pc', '…']]);
};

/** Where only the boot code is gone it is written again, to lead to the core image that is there. */
const bootCodeOnly = async (
  subject: Subject,
  name: GrubTools['name'],
  look: DiskLook,
  room: CoreRoom,
): Promise<RepairPlan | null> => {
  const read = (sector: number, count: number) =>
    subject.host.files.readAt(look.node, sector * 512, count * 512);
  const first = await read(room.sector, 1);
  const blocks = coreBlocks(first);
  if (blocks === null) return null;
  const rest = await Promise.all(blocks.map(({ sector, count }) => read(sector, count)));
  if (readCore(Buffer.concat([first, ...rest])) === null) return null;
  const paths = [`/boot/${name}/i386-pc/boot.img`, `${modulesFrom}/boot.img`];
  const images = await Promise.all(paths.map((path) => subject.files.bytes(path, 512)));
  const image = images.find((bytes) => bytes !== null && bytes.length === 512);
  const code = image ? bootCodeFor(image, room.sector) : null;
  return code === null
    ? null
    : planned([
        {
          kind: 'write-bytes',
          device: look.node,
          offsetBytes: 0,
          bytes: code,
          what: 'boot code of the MBR; the partition table and the signature of the disk stay',
        },
      ]);
};

/** Disks that have boot code of GRUB, or the root's own where none has. */
const disksToMend = async (subject: Subject): Promise<readonly DiskLook[]> => {
  const looks = await diskLooks(subject);
  const withGrub = looks.filter(({ bootCode }) => bootCode.kind === 'grub');
  return withGrub.length > 0 ? withGrub : looks.slice(0, 1);
};

const plan = async (
  subject: Subject,
  findings: readonly Finding[],
  benchTools: RepairTools,
): Promise<RepairPlan> => {
  const places = grubPlaces(subject);
  const tools = await findGrubTools(subject.files);
  const looks = await disksToMend(subject);
  const rooms = looks.flatMap((look) => {
    const room = coreRoom(look);
    return room === null ? [] : [[look, room] as const];
  });
  const [first] = rooms;
  if (first === undefined || rooms.length < looks.length) {
    return refused('The disk has no room for GRUB outside of its partitions.', byHand);
  }
  if (findings.every(({ id }) => id === 'boot-loader.boot-code')) {
    const small = await bootCodeOnly(subject, tools.name, ...first);
    if (small !== null) return small;
  }
  const hasModules = await subject.files.isFilled(`${modulesFrom}/boot.img`);
  const { mkimage } = tools;
  if (places === null || mkimage === null || !hasModules) {
    return refused(
      "The system lacks GRUB's own files for BIOS machines, or /boot is where they cannot reach it.",
      'Install grub-pc-bin in it: rescuekit rescue --network.',
    );
  }
  return installAll(subject, benchTools, { tools, places, mkimage }, rooms);
};

export const installBios: Repair = {
  id: 'boot-loader.install-bios',
  stage: 'boot-loader',
  title: "Write GRUB's boot code and core image for BIOS machines",
  why: 'A machine with a BIOS does not get from the disk to the menu of GRUB.',
  risk: 'what another boot loader has in these sectors is replaced; undo puts it back',
  proof: 'vm',
  plan: async (subject, findings, tools) => {
    // Named by the person: only where a BIOS is meant to start from the disk.
    const esps = await espsOf(subject);
    const { used } = await lookAtBiosStart(subject, esps.length > 0);
    return used || findings.length > 0
      ? plan(subject, findings, tools)
      : refused('The disk was not made for machines with a BIOS.', byHand);
  },
};
