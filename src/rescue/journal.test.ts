import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Files } from '../host/files.ts';
import { hostFiles } from '../host/files.ts';
import { openJournal, openSteps } from './journal.ts';

/** A journal file that lives in memory and shows what was on disk at each moment. */
const memory = (start = '') => {
  let text = start;
  const files: Files = {
    ...hostFiles,
    readText: async () => text,
    append: async (_path, more) => {
      text += more;
    },
  };
  return { files, text: () => text };
};

const directory = (path: string) => ({ kind: 'remove-directory', path }) as const;
const now = () => new Date(0);

test('an undo is on disk before its step may run', async () => {
  const { files, text } = memory();
  const journal = await openJournal(files, '/journal', now);
  await journal.intend('make /a', directory('/a'));
  expect(openSteps(text()).map(({ undo }) => undo)).toEqual([directory('/a')]);
});

test('only a layer that is being written to its disks is on the disk before it may begin', async () => {
  const { files, text } = memory();
  const synced: string[] = [];
  const appendSynced = async (path: string, more: string) => {
    synced.push(more);
    await files.append(path, more);
  };
  const journal = await openJournal({ ...files, appendSynced }, '/journal', now);
  await journal.intend('a', directory('/a'));
  const merge = { kind: 'finish-merge', directory: '/layer', session: '7f3a' } as const;
  await journal.intend('write the layer', merge);
  expect(synced.flatMap((line) => openSteps(line)).map(({ undo }) => undo)).toEqual([merge]);
  expect(openSteps(text())).toHaveLength(2);
});

test('what is taken down is no longer open, and the rest comes newest first', async () => {
  const { files, text } = memory();
  const journal = await openJournal(files, '/journal', now);
  await journal.intend('a', directory('/a'));
  const second = await journal.intend('b', directory('/b'));
  await journal.intend('c', directory('/c'));
  await journal.markUndone(second);
  const titles = openSteps(text()).map(({ title }) => title);
  expect(titles).toEqual(['c', 'a']);
  expect(journal.open().map(({ title }) => title)).toEqual(titles);
});

test('a line that a kill cut off is no event and does not swallow the next one', async () => {
  const first = memory();
  const journal = await openJournal(first.files, '/journal', now);
  await journal.intend('a', directory('/a'));
  const cut = memory(`${first.text()}{"event":"intent","step":2,"ti`);
  const again = await openJournal(cut.files, '/journal', now);
  await again.intend('b', directory('/b'));
  expect(openSteps(cut.text()).map(({ title }) => title)).toEqual(['b', 'a']);
});

test('whatever was put up and taken down, reopening gives the same steps in the same order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 9 }), { maxLength: 30 }), async (choices) => {
      const { files } = memory();
      const journal = await openJournal(files, '/journal', now);
      for (const [index, choice] of choices.entries()) {
        const open = journal.open();
        const victim = open[choice];
        if (choice > 4 && victim !== undefined) await journal.markUndone(victim.step);
        else await journal.intend(`step ${index}`, directory(`/${index}`));
      }
      const reopened = await openJournal(files, '/journal', now);
      expect(reopened.open()).toEqual(journal.open());
      const steps = journal.open().map(({ step }) => step);
      expect(steps).toEqual([...steps].sort((a, b) => b - a));
    }),
  );
});
