import type { Check } from '../check.ts';
import { cloudInitCheck } from './cloud-init.ts';
import { ifupdownCheck } from './ifupdown.ts';
import { keyfilesCheck } from './keyfiles.ts';
import { namesCheck } from './names.ts';
import { namesElsewhereCheck } from './names-elsewhere.ts';
import { netplanCheck } from './netplan.ts';
import { networkdCheck } from './networkd.ts';
import { pinnedNamesCheck } from './pinned-names.ts';
import { resolvConfCheck } from './resolv-conf.ts';
import { serviceProgramsCheck } from './service-programs.ts';
import { servicesCheck } from './services.ts';

export const networkChecks: readonly Check[] = [
  servicesCheck,
  serviceProgramsCheck,
  ifupdownCheck,
  networkdCheck,
  netplanCheck,
  keyfilesCheck,
  pinnedNamesCheck,
  namesElsewhereCheck,
  resolvConfCheck,
  namesCheck,
  cloudInitCheck,
];
