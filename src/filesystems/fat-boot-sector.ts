/** Shape of a FAT file system (Microsoft's FAT specification, "Boot Sector and BPB"). */
export type FatShape = {
  readonly bits: 12 | 16 | 32;
  readonly clusterBytes: number;
  readonly fatAt: number;
  readonly fatBytes: number;
  /** Root directory of FAT12 and FAT16, which is no chain of clusters. */
  readonly rootAt: number;
  readonly rootBytes: number;
  /** First cluster of the root directory on FAT32. */
  readonly rootCluster: number;
  /** Where cluster 2 is. */
  readonly dataAt: number;
  readonly clusters: number;
  /** Sector of the copy of the boot sector on FAT32, or 0. */
  readonly backupSector: number;
  readonly sectorBytes: number;
};

const isPowerOfTwo = (value: number): boolean => value > 0 && (value & (value - 1)) === 0;

/** Reads a boot sector; null when it is none, or describes nothing that can be. */
export const parseFatBootSector = (sector: Buffer): FatShape | null => {
  if (sector.length < 512 || sector.readUInt16LE(510) !== 0xaa55) return null;
  const sectorBytes = sector.readUInt16LE(11);
  const clusterSectors = sector.readUInt8(13);
  const reserved = sector.readUInt16LE(14);
  const fats = sector.readUInt8(16);
  const rootEntries = sector.readUInt16LE(17);
  const total = sector.readUInt16LE(19) || sector.readUInt32LE(32);
  const small = sector.readUInt16LE(22);
  const fatSectors = small || sector.readUInt32LE(36);
  const sane =
    isPowerOfTwo(sectorBytes) &&
    sectorBytes >= 512 &&
    sectorBytes <= 4096 &&
    isPowerOfTwo(clusterSectors) &&
    reserved > 0 &&
    (fats === 1 || fats === 2) &&
    fatSectors > 0 &&
    total > 0;
  if (!sane) return null;
  const rootSectors = Math.ceil((rootEntries * 32) / sectorBytes);
  const dataSector = reserved + fats * fatSectors + rootSectors;
  const clusters = Math.floor((total - dataSector) / clusterSectors);
  if (clusters < 1) return null;
  // The number of clusters alone decides the kind, but for FAT32, which has no small FAT size.
  const bits = small === 0 ? 32 : clusters < 4085 ? 12 : 16;
  return {
    ...{ bits, clusters, sectorBytes },
    clusterBytes: clusterSectors * sectorBytes,
    fatAt: reserved * sectorBytes,
    fatBytes: fatSectors * sectorBytes,
    rootAt: (reserved + fats * fatSectors) * sectorBytes,
    rootBytes: rootSectors * sectorBytes,
    rootCluster: bits === 32 ? sector.readUInt32LE(44) : 0,
    dataAt: dataSector * sectorBytes,
    backupSector: bits === 32 ? sector.readUInt16LE(50) : 0,
  };
};
