/**
 * Mount options by name, without values. mount(8) and libmount handle the first list by themselves or
 * hand them to the kernel as flags; the others are parameters of one file system each (ext4(5), xfs(5),
 * btrfs(5), and the kernel's fs/fat/inode.c). An unknown one makes the kernel refuse the mount.
 */
const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

export const genericOptions = words(`
  defaults rw ro suid nosuid dev nodev exec noexec auto noauto user nouser users owner group nogroup
  nofail _netdev sync async dirsync atime noatime diratime nodiratime relatime norelatime strictatime
  nostrictatime lazytime nolazytime iversion noiversion mand nomand silent loud remount bind rbind
  loop offset sizelimit encryption symfollow nosymfollow shared rshared private rprivate slave rslave
  unbindable runbindable context fscontext defcontext rootcontext seclabel smackfsdef smackfsroot
  smackfsfloor smackfshat smackfstransmute uhelper helper comment fsprotect quota noquota usrquota
  grpquota prjquota source`);

const ext = words(`
  acl noacl user_xattr nouser_xattr bsddf minixdf grpid bsdgroups nogrpid sysvgroups resuid resgid sb
  errors abort nouid32 debug orlov oldalloc nobh bh check nocheck noload norecovery barrier nobarrier
  commit data data_err journal_dev journal_path journal_checksum nojournal_checksum
  journal_async_commit journal_ioprio i_version nodelalloc delalloc stripe auto_da_alloc
  noauto_da_alloc discard nodiscard init_itable noinit_itable inode_readahead_blks max_dir_size_kb
  dioread_lock dioread_nolock nodioread_nolock dax block_validity noblock_validity mblk_io_submit
  nomblk_io_submit min_batch_time max_batch_time usrjquota grpjquota jqfmt quota noquota usrquota
  grpquota prjquota test_dummy_encryption inlinecrypt mb_optimize_scan nombcache no_mbcache
  prefetch_block_bitmaps no_prefetch_block_bitmaps warn_on_error nowarn_on_error resize fc_debug_force
  fc_debug_max_replay reservation noreservation xip bsdgroups removed nobarrier`);

const xfs = words(`
  allocsize attr2 noattr2 biosize dax discard nodiscard filestreams grpid bsdgroups nogrpid sysvgroups
  ikeep noikeep inode32 inode64 largeio nolargeio logbsize logbufs logdev rtdev noalign norecovery
  nouuid pquota pqnoenforce prjquota qnoenforce quota noquota uqnoenforce uquota usrquota gquota
  gqnoenforce grpquota sunit swidth swalloc wsync barrier nobarrier delaylog nodelaylog mtpt osyncisdsync
  ihashsize max_atomic_write lifetime nolifetime`);

const btrfs = words(`
  acl noacl autodefrag noautodefrag barrier nobarrier clear_cache check_int check_int_data
  check_int_print_mask commit compress compress-force datacow nodatacow datasum nodatasum degraded
  device discard nodiscard enospc_debug noenospc_debug fatal_errors flushoncommit noflushoncommit
  fragment inode_cache noinode_cache max_inline metadata_ratio norecovery nologreplay treelog notreelog
  recovery ref_verify rescan_uuid_tree rescue skip_balance space_cache nospace_cache ssd ssd_spread
  nossd nossd_spread subvol subvolid subvolrootid thread_pool user_subvol_rm_allowed usebackuproot
  alloc_start thread_pool`);

const vfat = words(`
  allow_utime blocksize check codepage conv cvf_format cvf_option debug discard nodiscard dmask
  dos1xfloppy dots nodots dotsOK errors fat flush fmask gid iocharset nfs nocase nonumtail numtail
  posix quiet rodir showexec shortname sys_immutable time_offset tz umask uid uni_xlate usefree utf8
  uid`);

/**
 * Options that a driver took once, with the first kernel that refuses them (kernel:
 * Documentation/admin-guide/xfs.rst, "Removed Mount Options").
 */
export const removedOptions: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  xfs: new Map([
    ['delaylog', '4.0'],
    ['nodelaylog', '4.0'],
    ['ihashsize', '4.0'],
    ['osyncisdsync', '4.0'],
    ['barrier', '4.19'],
    ['nobarrier', '4.19'],
  ]),
};

/** By type, without the generic ones. */
export const optionsOf: Readonly<Record<string, ReadonlySet<string>>> = {
  ext2: ext,
  ext3: ext,
  ext4: ext,
  xfs,
  btrfs,
  vfat,
  msdos: vfat,
};
