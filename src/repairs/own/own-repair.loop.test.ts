import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { debianTree, debianTrees } from '../../../fixtures/base-tree.ts';
import { type Lab, openLab } from '../../../fixtures/rescuekit.ts';
import { diagnoseDocumentSchema } from '../../commands/diagnose.ts';
import { repairDocumentSchema } from '../../commands/repair.ts';

let lab: Lab;
let tree: string;
let config: readonly string[];

/**
 * Wants a line in /etc/motd. It only answers; what it asks for is done by rescuekit. With printf,
 * for the echo of some shells makes a real newline of an escaped one.
 */
const program = `#!/bin/sh
root=$(sed 's/.*"root":"\\([^"]*\\)".*/\\1/')
case $1 in
diagnose)
  if grep -q rescued "$root/etc/motd" 2>/dev/null; then
    echo '{"findings":[]}'
  else
    echo '{"findings":[{"severity":"warning","title":"The motd is missing","subject":"/etc/motd",
      "meaning":"Nobody is greeted.","evidence":[{"path":"/etc/motd","text":"no such line"}]}]}'
  fi ;;
plan) printf '%s\\n' '{"changes":[{"kind":"write-file","path":"/etc/motd","content":"rescued\\n"}]}' ;;
esac
`;

const manifest = {
  ...{ id: 'own.motd', title: 'Greet', why: 'To greet.', risk: 'none', stage: 'userland' },
};

const install = async (name: string, text: string, mode: string): Promise<void> => {
  const directory = join(lab.directory, 'repairs.d', name);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'manifest.json'), JSON.stringify(manifest));
  await writeFile(join(directory, 'repair'), text);
  await lab.run('chmod', mode, join(directory, 'repair'));
};

beforeAll(async () => {
  lab = await openLab();
  tree = join(lab.directory, 'tree');
  await lab.run('cp', '-a', await debianTree(lab.host, debianTrees.small), tree);
  const file = join(lab.directory, 'config.json');
  const repairsDirectory = join(lab.directory, 'repairs.d');
  await writeFile(file, JSON.stringify({ repairsDirectory }));
  config = ['--config', file];
  await install('motd', program, '755');
});

afterAll(() => lab.close());

it('finds, mends with a backup, and is taken back like any other', async () => {
  const looked = await lab.kit(['diagnose', tree, '--json', ...config]);
  expect(looked.exitCode, looked.stderr).toBe(3);
  expect(looked.json(diagnoseDocumentSchema).findings).toContainEqual(
    expect.objectContaining({ id: 'own.motd', repair: 'own.motd', severity: 'warning' }),
  );
  const before = await readFile(join(tree, 'etc/motd'), 'utf8').catch(() => null);
  const mended = await lab.kit(['repair', tree, '--yes', '--json', ...config]);
  const { applied, session, remaining, refused } = mended.json(repairDocumentSchema);
  expect(refused).toEqual([]);
  expect(applied.map(({ id }) => id)).toEqual(['own.motd']);
  expect(remaining).toEqual([]);
  expect(await readFile(join(tree, 'etc/motd'), 'utf8')).toBe('rescued\n');
  expect((await lab.kit(['undo', session])).exitCode).toBe(0);
  expect(await readFile(join(tree, 'etc/motd'), 'utf8').catch(() => null)).toBe(before);
});

it('is left out with a warning when others than root may change it', async () => {
  await install('loose', program, '777');
  const looked = await lab.kit(['diagnose', tree, '--json', ...config]);
  expect(looked.stderr).toContain('loose is left out');
  const { findings } = looked.json(diagnoseDocumentSchema);
  expect(findings.filter(({ id }) => id === 'own.motd')).toHaveLength(1);
});

it('that answers nonsense is named as not checked, and the rest is looked at', async () => {
  await install('loose', '#!/bin/sh\necho nonsense\n', '755');
  const looked = await lab.kit(['diagnose', tree, '--json', ...config]);
  expect(looked.json(diagnoseDocumentSchema).notChecked).toMatchObject([
    { area: 'own', reason: expect.stringContaining('does not answer as it should') },
  ]);
});
