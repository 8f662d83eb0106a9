import type { Repair } from '../repair.ts';
import { addRemovable } from './add-removable.ts';
import { clearCommandLine } from './clear-command-line.ts';
import { installBios } from './install-bios.ts';
import { mendDefaults } from './mend-defaults.ts';
import { mendEntries } from './mend-entries.ts';
import { restoreEfi } from './restore-efi.ts';
import { restoreEsp } from './restore-esp.ts';
import { restoreGpt } from './restore-gpt.ts';
import { setRoot } from './set-root.ts';
import { writeConfig } from './write-config.ts';
import { writeEntries } from './write-entries.ts';

/** The partition table comes first, then what the menu is made of, then the menu. */
export const bootLoaderRepairs: readonly Repair[] = [
  restoreGpt,
  restoreEsp,
  restoreEfi,
  addRemovable,
  mendDefaults,
  installBios,
  setRoot,
  clearCommandLine,
  writeConfig,
  writeEntries,
  mendEntries,
];
