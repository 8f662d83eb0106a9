import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayNode, parseMdadmConf } from './mdadm-conf.ts';

const uuid = 'b309b68e:b1086443:58fcb39a:4c150411';

/** As Debian's installer writes it. */
const debian = `# mdadm.conf
#DEVICE partitions containers
HOMEHOST <system>
MAILADDR root

# definitions of existing MD arrays
ARRAY /dev/md/0  metadata=1.2 UUID=${uuid} name=web-3:0
ARRAY /dev/md/data metadata=1.2
   name=web-3:data   # spares=1
  UUID=15980F8A-D459-7305-0E1D-D6D7094F956D
array md5 level=raid5 num-devices=3 super-minor=5
ARRAY <ignore> UUID=${uuid}
ARR swap "UUID=03bcc782.0e1d29f0.2c56a99a.a77ef944"
`;

describe('mdadm.conf', () => {
  it('gives the arrays with all that tells which one each is', () => {
    expect(parseMdadmConf(debian)).toEqual([
      { line: 7, device: '/dev/md0', uuid, name: 'web-3:0', superMinor: null },
      {
        line: 8,
        device: '/dev/md/data',
        uuid: '15980f8a:d4597305:0e1dd6d7:094f956d',
        name: 'web-3:data',
        superMinor: null,
      },
      { line: 11, device: '/dev/md5', uuid: null, name: null, superMinor: 5 },
      {
        line: 13,
        device: '/dev/md/swap',
        uuid: '03bcc782:0e1d29f0:2c56a99a:a77ef944',
        name: null,
        superMinor: null,
      },
    ]);
  });

  it('is read to its end whatever stands in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const { uuid: found } of parseMdadmConf(`ARRAY ${text}`)) {
          expect(found === null || /^[0-9a-f:]{35}$/.test(found)).toBe(true);
        }
      }),
    );
  });
});

it.each([
  ['/dev/md0', '/dev/md0'],
  ['/dev/md/0', '/dev/md0'],
  ['md0', '/dev/md0'],
  ['0', '/dev/md0'],
  ['root', '/dev/md/root'],
  ['/dev/md/root', '/dev/md/root'],
  ['/dev/md_d0', '/dev/md_d0'],
])('%s means %s', (written, node) => {
  expect(arrayNode(written)).toBe(node);
});
