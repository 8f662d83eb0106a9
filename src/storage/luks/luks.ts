import { type Device, flattenDevice, nodeOf } from '../../devices/device.ts';
import type { Host } from '../../host/host.ts';
import { plainText } from '../../host/plain-text.ts';
import type { Layer, LayerContext, LayerMode, Need, Opening, Perform, Secret } from '../layer.ts';
import { attachFreeLoop } from '../loop.ts';
import { isReadOnly, writeProtect } from '../write-protect.ts';
import { type MatchedHeader, matchHeaders } from './detached-header.ts';
import { type LuksMetadata, readLuksMetadata } from './luks-metadata.ts';
import { openLuks, openWords, requireMemory } from './open-luks.ts';

/** Device, size and label, as a person tells one encrypted volume from the other. */
const describe = (device: Device, kind: string): string => {
  const size = `${(device.sizeBytes / 2 ** 30).toFixed(1)} GiB`;
  const label = device.label === null ? [] : [`"${plainText(device.label)}"`];
  return `the encrypted volume ${nodeOf(device)} (${[kind, size, ...label].join(', ')})`;
};

const impossible = (why: string): Need => ({ kind: 'impossible', why });

/** What must be had, from what stands in the header. */
const needOf = (node: string, metadata: LuksMetadata | null): Need => {
  if (metadata === null) return impossible('cryptsetup accepts no LUKS header for it.');
  const { requirements, slots } = metadata;
  if (requirements.some((name) => name.includes('reencrypt'))) {
    return impossible(
      `Its reencryption was cut off, and to open it means to go on with that: cryptsetup reencrypt --resume-only ${node}`,
    );
  }
  if (slots?.length === 0) return impossible('No key is left in its header: it was erased.');
  return { kind: 'passphrase' };
};

/** "LUKS2", with a word about keys that no person knows. */
const kindOf = (metadata: LuksMetadata | null): string => {
  if (metadata === null) return 'LUKS';
  const tokens = (metadata.slots ?? []).map(({ token }) => token);
  if (tokens.length === 0 || tokens.includes(null)) return `LUKS${metadata.version}`;
  const names = [...new Set(tokens)].map((token) => plainText(token ?? '')).join(', ');
  return `LUKS${metadata.version}, all its keys belong to tokens (${names}), which are not tried`;
};

const protect = async (host: Host, perform: Perform, device: string): Promise<void> => {
  if (!(await isReadOnly(host, device))) await perform(writeProtect(device));
};

/**
 * A header that can be read and not written: with a writable one cryptsetup mends what it finds
 * damaged, also when it is told `--readonly`.
 */
const heldHeader = async (host: Host, perform: Perform, path: string): Promise<string> => {
  if ((await host.files.statusFollowed(path))?.kind === 'block') {
    await protect(host, perform, path);
    return path;
  }
  return attachFreeLoop(host, perform, path, 'read-only');
};

type Container = { readonly device: Device; readonly node: string; readonly header: string | null };

const openContainer = (
  { host, session, mode }: LayerContext,
  { device, node, header }: Container,
  metadata: LuksMetadata | null,
) => {
  const mapping = `rescuekit-${session}-${device.name.replaceAll(/[^\w.-]/g, '-')}`;
  // Kept from one attempt to the next.
  let held: string | null = null;
  const commands = (wanted: LayerMode) => [
    ...(wanted === 'read-only' ? [['blockdev', '--setro', node]] : []),
    openWords({ device: node, header, mapping }, wanted, null),
  ];
  const open = async (perform: Perform, secret: Secret | null): Promise<void> => {
    if (secret === null) return;
    if (metadata !== null) await requireMemory(host, node, metadata);
    if (mode === 'read-only') {
      await protect(host, perform, node);
      if (header !== null) held ??= await heldHeader(host, perform, header);
    }
    await perform(openLuks({ device: node, header: held ?? header, mapping }, mode, secret));
  };
  return { commands, open };
};

const luksOpening = async (context: LayerContext, container: Container): Promise<Opening> => {
  const { device, node, header } = container;
  const metadata = await readLuksMetadata(context.host, header ?? node);
  const kind = kindOf(metadata);
  return {
    key: `luks ${node}`,
    layer: 'luks',
    what: describe(device, header === null ? kind : `${kind}, header in ${plainText(header)}`),
    devices: [node],
    rank: 0,
    need: needOf(node, metadata),
    ...openContainer(context, container, metadata),
    aliases: {},
  };
};

/** Something that stays closed, so that the person is told why. */
const closedOpening = (what: string, devices: readonly string[], why: string): Opening => ({
  key: `luks ${what}`,
  layer: 'luks',
  what,
  devices,
  rank: 0,
  need: impossible(why),
  commands: () => [],
  open: async () => {},
  aliases: {},
});

const bitlocker = (device: Device): Opening =>
  closedOpening(
    describe(device, 'BitLocker'),
    [device.path ?? device.name],
    `Volumes of Windows are not opened here. By hand: cryptsetup open --type bitlk --readonly ${nodeOf(device)} NAME`,
  );

const unmatched = ({ header }: MatchedHeader, why: string): Opening =>
  closedOpening(`the volume of the LUKS header ${plainText(header.path)}`, [], why);

/**
 * LUKS1 and LUKS2, also with a detached header. Opened under a name with the session in it, which
 * becomes a part of the mapping's UUID and so proves whose it is.
 */
export const luksLayer: Layer = {
  name: 'luks',
  probe: async (context) => {
    const devices = context.ours.flatMap(flattenDevice).filter((one) => one.protected === null);
    const matched = matchHeaders(devices, context.luksHeaders);
    const detached = matched.flatMap(({ header, device }) =>
      device?.path ? [{ device, node: device.path, header: header.path }] : [],
    );
    const given = new Set(detached.map(({ node }) => node));
    const own = devices.flatMap((device): readonly Container[] =>
      device.fsType === 'crypto_LUKS' && device.children.length === 0 && device.path !== null
        ? [{ device, node: device.path, header: null }]
        : [],
    );
    const containers = [...detached, ...own.filter(({ node }) => !given.has(node))];
    return [
      ...(await Promise.all(containers.map((one) => luksOpening(context, one)))),
      ...matched.flatMap((one) => (one.device === null ? [unmatched(one, one.why)] : [])),
      ...devices.filter(({ fsType }) => fsType === 'BitLocker').map(bitlocker),
    ];
  },
};
