import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootableDisks, bootableImage } from '../../fixtures/bootable/bootable-image.ts';
import { combinations } from '../../fixtures/broken/combinations.ts';
import type { Fault } from '../../fixtures/broken/fault.ts';
import { allFaults } from '../../fixtures/broken/faults.ts';
import {
  changedPaths,
  detailsOf,
  type Manifest,
  readManifest,
  touchedPaths,
} from '../../fixtures/broken/manifest.ts';
import { breakSystem, patientSpec, withPatient } from '../../fixtures/broken/patient.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { diagnoseDocumentSchema } from '../commands/diagnose.ts';
import { repairDocumentSchema } from '../commands/repair.ts';
import { undoDocumentSchema } from '../commands/undo.ts';

type Row = {
  readonly fault: string;
  readonly found: string;
  readonly repaired: string;
  readonly proven: string;
  readonly seconds: number;
};

let lab: Lab;
const table: Row[] = [];

beforeAll(async () => {
  lab = await openLab();
});

afterAll(async () => {
  const width = Math.max(...table.map(({ fault }) => fault.length), 5);
  for (const { fault, found, repaired, proven, seconds } of table) {
    console.log(
      `${fault.padEnd(width)}  found ${found}  repaired ${repaired}  proven ${proven}  ${seconds.toFixed(1)} s`,
    );
  }
  await lab.close();
});

/** What is outside of the file systems: boot code and partition tables. */
const rimOf = async (file: string): Promise<string> => {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const rim = Buffer.alloc(3 * 2 ** 20);
    await handle.read(rim, 0, 2 * 2 ** 20, 0);
    await handle.read(rim, 2 * 2 ** 20, 2 ** 20, size - 2 ** 20);
    return rim.toString('base64');
  } finally {
    await handle.close();
  }
};

const isAllowed = (path: string, allowed: readonly string[]): boolean =>
  allowed.some((prefix) => path === prefix || (prefix.endsWith('/') && path.startsWith(prefix)));

const manifestOf = (disks: BootableDisks): Promise<Manifest> =>
  withPatient(lab, disks, 'ro', ({ root }) => readManifest(lab, root));

type Seen = { readonly manifest: Manifest; readonly details: ReadonlyMap<string, string> };

const detailsIn = async (
  root: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  for (const path of paths) found.set(path, await detailsOf(lab, root, [path]));
  return found;
};

/** The broken tree, with contents and attributes of what the damage has written. */
const seeBroken = (disks: BootableDisks, healthy: Manifest): Promise<Seen> =>
  withPatient(lab, disks, 'ro', async ({ root }) => {
    const manifest = await readManifest(lab, root);
    return { manifest, details: await detailsIn(root, touchedPaths(healthy, manifest)) };
  });

/** Asserts that the tree is again what it was, contents and attributes of all that was written too. */
const expectBack = async (
  disks: BootableDisks,
  base: BootableDisks,
  broken: Seen,
): Promise<void> => {
  const { now, details } = await withPatient(lab, disks, 'ro', async ({ root }) => {
    const manifest = await readManifest(lab, root);
    const touched = touchedPaths(broken.manifest, manifest);
    return { now: manifest, details: await detailsIn(root, touched) };
  });
  const visible = (manifest: Manifest) =>
    Object.fromEntries([...manifest].map(([path, entry]) => [path, entry.visible]));
  expect(visible(now)).toEqual(visible(broken.manifest));
  // What the damage has not written is as in the healthy system.
  const untouched = [...details.keys()].filter((path) => !broken.details.has(path));
  const original = await withPatient(lab, base, 'ro', ({ root }) => detailsIn(root, untouched));
  for (const [path, text] of details) {
    expect(text).toBe(broken.details.get(path) ?? original.get(path));
  }
};

/**
 * The boot to be watched. What only a boot from the disk itself shows is watched in a container all
 * the same: it must come up there, and must not be called proven.
 */
const proofWish = (faults: readonly Fault[]): 'container' | 'none' =>
  faults.some(({ proof, unrepairable }) => proof !== 'none' && unrepairable !== true)
    ? 'container'
    : 'none';

/** Finds, repairs, repairs again, proves and takes back; everything is looked at in between. */
const proveFaults = async (name: string, faults: readonly Fault[]): Promise<void> => {
  const began = performance.now();
  const directory = join(lab.directory, name.replaceAll(/[^a-z0-9]+/g, '-'));
  await mkdir(directory);
  const disks = await breakSystem(lab, faults, directory);
  const [{ file }] = disks;
  const base = await bootableImage(lab.host, patientSpec(faults[0]?.on));
  const broken = await seeBroken(disks, await manifestOf(base));
  const brokenRim = await rimOf(file);

  const looked = await lab.kit(['diagnose', file, '--json']);
  expect(looked.exitCode, looked.stderr).toBe(3);
  const { findings, healthy } = looked.json(diagnoseDocumentSchema);
  expect(healthy).toBe(false);
  for (const { finding, severity = 'critical' } of faults) {
    expect(findings.map((one) => `${one.severity} ${one.id}`)).toContain(`${severity} ${finding}`);
  }
  const wish = proofWish(faults);
  const mended = await lab.kit(['repair', file, '--yes', '--proof', wish, '--json']);
  const repair = mended.json(repairDocumentSchema);
  if (wish === 'container' && repair.applied.length > 0) {
    expect(repair.proof, mended.stdout).toMatchObject({ boots: true, failedUnits: [] });
  }
  // Of what a container cannot see it says nothing.
  expect(repair.proven).toBe(wish === 'container' && !faults.some(({ proof }) => proof === 'vm'));
  const unrepairable = faults.filter((fault) => fault.unrepairable === true);
  const ids = unrepairable.map(({ finding }) => finding);
  expect(repair.remaining.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  expect(mended.exitCode, mended.stderr).toBe(ids.length === 0 ? 0 : 3);
  const repaired = await manifestOf(disks);
  const allowed = faults.flatMap(({ changes }) => changes);
  const changed = changedPaths(broken.manifest, repaired);
  expect(changed.filter((path) => !isAllowed(path, allowed))).toEqual([]);
  await withPatient(lab, disks, 'ro', async (patient) => {
    for (const { after } of faults) await after?.(patient);
  });

  const again = await lab.kit(['repair', file, '--yes', '--skip-check', '--json']);
  expect(again.json(repairDocumentSchema).applied).toEqual([]);

  table.push({
    fault: name,
    found: faults.map(({ finding }) => finding).join(', '),
    repaired: ids.length === 0 ? 'yes' : 'not safe',
    proven: repair.proven ? 'in a container' : 'not proven',
    seconds: (performance.now() - began) / 1000,
  });
  if (repair.applied.length > 0) {
    const back = await lab.kit(['undo', repair.session, '--json']);
    expect(back.exitCode, back.stderr).toBe(0);
    expect(back.json(undoDocumentSchema).left).toEqual([]);
  }
  await expectBack(disks, base, broken);
  expect((await rimOf(file)) === brokenRim).toBe(true);
  await rm(directory, { recursive: true });
};

describe('each fault of the corpus is found, mended, and can be taken back', () => {
  it.each(allFaults.map((fault) => [fault.name, fault] as const))('%s', async (name, fault) => {
    await proveFaults(name, [fault]);
  });
});

describe('faults that come together', () => {
  it.each(combinations)('%s', async (name, faults) => {
    await proveFaults(name, faults);
  });
});
