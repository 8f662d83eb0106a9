import { planned, refused } from '../plan.ts';
import type { Repair } from '../repair.ts';

export const listModules: Repair = {
  id: 'kernel.list-modules',
  stage: 'initramfs',
  title: 'List the modules of the kernel anew',
  why: 'Without the lists that depmod writes no module is found.',
  risk: 'none: the lists are made from the modules that are there',
  proof: 'vm',
  plan: async (_subject, findings, tools) => {
    const versions = [...new Set(findings.map(({ subject }) => subject))];
    const commands = versions.map((version) => ['/sbin/depmod', version]);
    const { results, changes } = await tools.bench(commands.map((words) => ({ words })));
    return results.some(({ exitCode }) => exitCode !== 0)
      ? refused("The system's own depmod failed.", 'Run depmod in rescuekit rescue.')
      : planned(
          changes.filter((change) => 'path' in change && /\/modules\//.test(change.path)),
          commands,
        );
  },
};
