import type { Repair } from '../repair.ts';
import { makeGrubMenu, menuRisk } from './make-menu.ts';

export const writeConfig: Repair = {
  id: 'boot-loader.write-config',
  stage: 'boot-loader',
  title: "Make GRUB's menu anew",
  why: 'The menu is missing, cannot be read, or names kernels and file systems that are not there.',
  risk: menuRisk,
  proof: 'vm',
  plan: (subject, _findings, tools) => makeGrubMenu(subject, tools),
};
