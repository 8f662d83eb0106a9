import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debianTree, debianTrees } from '../../fixtures/base-tree.ts';
import { bootableImage } from '../../fixtures/bootable/bootable-image.ts';
import { healthySystems, otherHealthySystems } from '../../fixtures/bootable/healthy-systems.ts';
import { type Lab, openLab } from '../../fixtures/rescuekit.ts';
import { diagnoseDocumentSchema } from '../commands/diagnose.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await openLab();
});

afterAll(() => lab.close());

const expectHealthy = async (...words: readonly string[]): Promise<void> => {
  const answer = await lab.kit(['diagnose', ...words, '--json']);
  const { findings, notChecked, healthy } = answer.json(diagnoseDocumentSchema);
  const problems = findings.filter(({ severity }) => severity !== 'info');
  expect(problems).toEqual([]);
  // Of an initramfs that nobody looked into, nothing would be found either.
  expect(findings.map(({ id }) => id)).not.toContain('kernel.initramfs-not-read');
  expect(notChecked).toEqual([]);
  expect(healthy).toBe(true);
  expect(answer.exitCode).toBe(0);
};

describe('nothing is found wrong with a healthy tree', () => {
  it.each(Object.entries(debianTrees))('%s', async (_name, tree) => {
    await expectHealthy(await debianTree(lab.host, tree));
  });
});

// The kernel of this machine may have no device-mapper: its mirror is looked at in the lab.
const onThisMachine = Object.entries({ ...healthySystems, ...otherHealthySystems }).filter(
  ([name]) => !name.includes('LVM'),
);

describe('nothing is found wrong with a disk that boots', () => {
  it.each(onThisMachine)('%s', async (_name, spec) => {
    const [{ file }] = await bootableImage(lab.host, spec);
    await expectHealthy(file);
  });
});
