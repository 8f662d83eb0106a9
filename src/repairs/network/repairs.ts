import type { Repair } from '../repair.ts';
import { keyfileMode, netplanTabs, networkdMode, networkdSection } from './configuration.ts';
import { interfacesLine, interfacesMissing } from './interfaces.ts';
import { hostnameRepair, hostsLocalhost, nsswitchRepair, resolvConfRepair } from './names.ts';
import { enableService, unmaskService } from './services.ts';
import { freeNames, unpinNames } from './unpin.ts';

export const networkRepairs: readonly Repair[] = [
  unmaskService,
  enableService,
  interfacesLine,
  interfacesMissing,
  networkdMode,
  networkdSection,
  netplanTabs,
  keyfileMode,
  freeNames,
  unpinNames,
  hostnameRepair,
  hostsLocalhost,
  nsswitchRepair,
  resolvConfRepair,
];
