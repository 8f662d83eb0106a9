import { describe, expect, it } from 'vitest';
import { makeDevice, makePartition } from '../../fixtures/device.ts';
import type { Device } from '../devices/device.ts';
import { findArray } from './array-device.ts';
import { parseMdadmConf } from './mdadm-conf.ts';

const uuids = {
  root: 'b309b68e:b1086443:58fcb39a:4c150411',
  old: 'b5ed2853:6d700217:bb29e593:6be1a2f1',
  gone: '03bcc782:0e1d29f0:2c56a99a:a77ef944',
};

const array = (name: string, uuid: string, more: Partial<Device>): Device =>
  makeDevice(`/dev/${name}`, {
    kind: 'raid',
    ...more,
    aliases: [`/dev/disk/by-id/md-uuid-${uuid}`, ...(more.aliases ?? [])],
  });

const first = array('md127', uuids.root, { aliases: ['/dev/disk/by-id/md-name-web-3:0'] });
const second = array('md126', uuids.old, {
  aliases: ['/dev/disk/by-id/md-name-web-3:data'],
  children: [makePartition('/dev/md126p1', 1), makePartition('/dev/md126p2', 2)],
});
const disk = makeDevice('/dev/vdb', { children: [first, second] });

const find = (path: string, conf = '') =>
  findArray(path, [disk], parseMdadmConf(conf)).nodes.map(({ device }) => device.path);

describe('a name of an array in fstab', () => {
  it('is that of the array that carries it, with or without its host', () => {
    expect(find('/dev/md/data')).toEqual(['/dev/md126']);
    expect(find('/dev/md/web-3:data')).toEqual(['/dev/md126']);
    expect(find('/dev/md0')).toEqual(['/dev/md127']);
    expect(find('/dev/md/0')).toEqual(['/dev/md127']);
  });

  it('is that of a partition of it, in each way to write one', () => {
    expect(find('/dev/md/datap2')).toEqual([]);
    expect(find('/dev/md/data2')).toEqual(['/dev/md126p2']);
    expect(find('/dev/md0p1', `ARRAY /dev/md0 UUID=${uuids.old}`)).toEqual(['/dev/md126p1']);
  });

  it('is no number that the array has got here', () => {
    expect(find('/dev/md127')).toEqual([]);
    expect(find('/dev/md126p1')).toEqual([]);
  });

  it('is what mdadm.conf says, whatever the arrays are called', () => {
    expect(find('/dev/md0', `ARRAY /dev/md0 UUID=${uuids.old}`)).toEqual(['/dev/md126']);
    expect(find('/dev/md127', 'ARRAY /dev/md/127 name=web-3:data')).toEqual(['/dev/md126']);
    expect(find('/dev/md4', 'ARRAY md4 super-minor=0')).toEqual(['/dev/md127']);
  });

  it('is no other array when the one in mdadm.conf is not attached', () => {
    const lines = parseMdadmConf(`ARRAY /dev/md0 UUID=${uuids.gone}`);
    expect(findArray('/dev/md0', [disk], lines)).toMatchObject({ nodes: [], line: { line: 1 } });
  });
});
