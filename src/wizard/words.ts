import type { LastResort } from '../filesystems/last-resort.ts';

/** Why, risk and explanation of each step; the rest of the wording stands beside its step. */
type Words = {
  readonly why: string;
  readonly risk: string;
  readonly explain: readonly string[];
};

export const checkWords: Words = {
  why: 'mounting a damaged file system can make it worse.',
  risk: 'none. The disk is write-protected while it is read.',
  explain: [
    'A check reads the metadata of each file system and compares it with itself. It can take minutes on a large or slow disk; Esc or Ctrl-C stops it without harm.',
    'A journal or log that was not replayed means that the machine was cut off while writing. That is no damage: it is replayed on a throwaway copy of the metadata, and the copy is checked.',
    'Nothing is mended here. If something is wrong you are asked first.',
    'Skip it only if you have checked already, or if you want no more than a look into a throwaway copy.',
  ],
};

export const repairWords: Words = {
  why: 'with the damage the system may not boot, and writing to it can lose more files.',
  risk: 'files whose metadata is lost move to lost+found or disappear. On ext the old blocks are kept in an undo file; XFS, btrfs and FAT have none. If the disk itself is failing, copy it first.',
  explain: [
    'The repair first does what the system itself would do when it boots (replay the journal, safe corrections), and only then answers every question of the checker with yes. Afterwards the file system is checked again: "repaired" is said only when that second look finds nothing.',
    'For ext2, ext3 and ext4 every block that is changed is kept first in an undo file beside the transcript. It can be played back with e2undo as long as nothing else was written.',
    'If the data cannot be replaced, say no here, make a snapshot of the volume or copy the disk, and come back.',
    'Without a repair the system can still be booted as a throwaway copy, which writes nothing to the disk.',
  ],
};

const resortWords: Readonly<Record<LastResort, Words>> = {
  zeroXfsLog: {
    why: 'the log cannot be replayed, and with it XFS cannot be mounted for writing.',
    risk: 'the last changes before the machine was cut off are lost. Files written then may be empty or missing. It cannot be taken back.',
    explain: [
      'XFS writes changes of its metadata into a log first. Mounting replays it. Here mounting fails, so the log itself is damaged, or what it leads to is.',
      'xfs_repair -L throws the log away and mends what then does not fit together. Usually the system is readable afterwards, with the newest files missing or in lost+found.',
      'Make a snapshot or a copy of the disk first if you can.',
    ],
  },
  btrfsRepair: {
    why: 'an ordinary repair of btrfs is only the replay of its log tree, and that is not enough here.',
    risk: 'it can make things worse, up to a file system that cannot be read at all. It cannot be taken back.',
    explain: [
      'The developers of btrfs advise to run "btrfs check --repair" only when somebody who knows the error has said so. It mends a few kinds of damage and can turn others into a total loss.',
      'Better: copy the files off first. A boot as a throwaway copy, or a read-only mount, often still works.',
    ],
  },
  backupSuperblock: {
    why: 'the first superblock or the group descriptors are damaged, and without them nothing on this file system can be found.',
    risk: 'a backup may be older than the rest. What does not fit to it moves to lost+found. The old blocks are kept in an undo file.',
    explain: [
      'ext keeps copies of its superblock in several places. e2fsck reads one of them, rebuilds the first from it and then checks everything.',
      'The block was found by reading the copies; it is the first one that can be read.',
    ],
  },
};

export const lastResortWords = (resort: LastResort): Words => resortWords[resort];

export const modeWords = {
  question:
    'The rescue shell can work on the disk itself, where what you change stays, or on a copy, which writes nothing to the disk: a throwaway one, or one of which you decide at the end.',
  explain: [
    'Throwaway copy: the disk stays write-protected. The system runs on a layer in memory; whatever you or the system write is gone afterwards. Right for looking around, for logs, for trying a repair out.',
    'Rehearse: a layer is laid over every disk of the system, and file system repairs and the rescue shell work on the layer. At the end you see what has changed and whether it boots, and then you decide: write it to the disk, keep it for later, or drop it.',
    'Keep changes: the file systems are mounted for writing, their journals are replayed as on every boot, and what you change in the shell (fstab, passwords, packages, boot loader) stays on the disk. Right for mending the system.',
  ],
} as const;

export const mountWords = {
  why: 'the system needs its file systems in the places that its fstab gives them.',
  risk: {
    write: 'the file systems are written: journals are replayed, and what you change is kept.',
    ephemeral: 'none. The disk stays write-protected; changes go to memory and are lost.',
    'read-only': 'none. Nothing can be written.',
  },
  explain: [
    'Everything is mounted below a private directory that no other user of this machine can enter, without device nodes. It stays mounted until the end of this walk.',
    'A file system that is named in fstab and not attached is left out and does not stop anything.',
  ],
} as const;

export const bootWords = {
  why: "the system's own tools work best in the system itself: passwd, apt or dnf, update-grub, journalctl.",
  risk: {
    write:
      'what you do in the shell changes the disk. Its services are not started, and it has no network.',
    ephemeral: 'none for the disk. Nothing you do in the shell is kept.',
    'read-only': 'none. Nothing can be written.',
  },
  explain: [
    "systemd-nspawn starts the system's own systemd in a container, as far as rescue.target: a root shell on this terminal, no services. No password is needed, even if the root account is locked, and nothing about that stays on the disk.",
    'Leave the shell with exit or Ctrl-D; then everything is taken down. If it hangs, press Ctrl and ] three times within a second.',
    'It runs on the kernel of this machine: a fault in the boot loader, the kernel or the initramfs of the disk does not show here.',
  ],
} as const;

export const diagnoseWords = {
  why: 'most systems that do not boot have one of some hundred causes, and each leaves traces.',
  risk: 'none. The disk stays write-protected.',
  explain: [
    'The system is mounted for a look and asked questions: fstab against the disks that are attached, kernel and initramfs, boot loader, init and libraries, free space, logins, network, and the journal of the last boots.',
    "What only one of the system's own programs can tell (is this sshd_config valid?) is asked in a container without network in which nothing can be written.",
    'If something is found that has a safe repair you are asked, and shown every change first.',
  ],
} as const;

export const mendWords = {
  explain: [
    'First everything is done on a throwaway layer, and you see the exact differences. Then you are asked once more; only after that yes the disk is written.',
    'Each file that is changed is kept beforehand on this machine, with owner, mode, times and attributes: rescuekit undo puts it back.',
    'No leaves the disk as it is. You can still go in and mend it by hand.',
  ],
} as const;
