import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allFaults } from '../../fixtures/broken/faults.ts';
import { allRepairs } from '../repairs/registry.ts';
import { areas } from './check.ts';
import { allChecks } from './registry.ts';

const directory = new URL('../../docs/findings/', import.meta.url);
/** Given by the file system check itself. */
const ofFileSystems = ['file-system.damaged', 'file-system.not-replayed'];
const ids = [...allChecks.flatMap(({ finds }) => finds), ...ofFileSystems];
const pages = readdirSync(directory).map((name) => name.replace(/\.md$/, ''));

describe('every finding', () => {
  it('has a page of its own, and no page is without a finding', () => {
    expect(pages.filter((name) => name !== 'README').toSorted()).toEqual(
      [...new Set(ids)].toSorted(),
    );
  });

  it.each(ids)('%s is named after its area, and its page has its name', (id) => {
    const [area] = id.split('.');
    expect(['file-system', ...areas]).toContain(area);
    const text = readFileSync(new URL(`${id}.md`, directory), 'utf8');
    expect(text).toContain(id);
    expect(text).toMatch(/by hand/i);
  });
});

describe('every repair', () => {
  it('has a name of its own', () => {
    const names = allRepairs.map(({ id }) => id);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the corpus of faults', () => {
  it('breaks only what some check looks for, each under a name of its own', () => {
    const names = allFaults.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(allFaults.filter(({ finding }) => !ids.includes(finding))).toEqual([]);
    expect(allFaults.length).toBeGreaterThanOrEqual(60);
  });
});
