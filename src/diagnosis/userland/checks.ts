import type { Check } from '../check.ts';
import { accountsCheck } from './accounts.ts';
import { defaultTargetCheck } from './default-target.ts';
import { dpkgStateCheck } from './dpkg-state.ts';
import { immutableCheck } from './immutable.ts';
import { initLinkCheck } from './init-link.ts';
import { layoutCheck } from './layout.ts';
import { loginScriptsCheck } from './login-scripts.ts';
import { looseModesCheck } from './loose-modes.ts';
import { machineIdCheck } from './machine-id.ts';
import { maskedUnitsCheck } from './masked-units.ts';
import { nsswitchCheck } from './nsswitch.ts';
import { otherPackagesCheck } from './other-packages.ts';
import { permissionsCheck } from './permissions.ts';
import { preloadCheck } from './preload.ts';
import { programsCheck } from './programs.ts';
import { setuidCheck } from './setuid.ts';
import { sysvinitCheck } from './sysvinit.ts';
import { unitsCheck } from './units.ts';
import { verifyUnitsCheck } from './verify-units.ts';

export const userlandChecks: readonly Check[] = [
  layoutCheck,
  initLinkCheck,
  programsCheck,
  preloadCheck,
  accountsCheck,
  permissionsCheck,
  setuidCheck,
  immutableCheck,
  machineIdCheck,
  defaultTargetCheck,
  maskedUnitsCheck,
  unitsCheck,
  verifyUnitsCheck,
  sysvinitCheck,
  nsswitchCheck,
  dpkgStateCheck,
  otherPackagesCheck,
  looseModesCheck,
  loginScriptsCheck,
];
