import type { Argv } from 'yargs';
import { z } from 'zod';
import { usageError } from '../host/rescue-error.ts';
import { vmBuses } from '../verification/proof.ts';
import { vmFirmwares } from '../verification/vm/vm-request.ts';
import { containerSchema } from './rescue-options.ts';
import { targetSchema } from './target-arguments.ts';

export const addVerifyOptions = <T>(argv: Argv<T>) =>
  argv
    .option('vm', {
      type: 'boolean',
      describe: 'From its own boot loader in a virtual machine (QEMU), not in a container',
    })
    .option('target', {
      type: 'string',
      requiresArg: true,
      describe: "Unit to be reached in the container (default: the system's default target)",
    })
    .option('boot-timeout', {
      type: 'string',
      requiresArg: true,
      describe: 'Seconds until a boot counts as hanging (default: 120, with --vm by its speed)',
    })
    .option('skip-check', {
      type: 'boolean',
      describe: 'Boot in the container without checking the file systems first',
    })
    .option('bus', {
      choices: vmBuses,
      describe: 'With --vm: what the disks are attached to (default: as the system has it)',
    })
    .option('firmware', {
      choices: vmFirmwares,
      describe: 'With --vm: what starts the boot loader (default: auto, as the disks call for)',
    })
    .option('secure-boot', {
      type: 'boolean',
      describe: "With --vm: UEFI with Microsoft's keys, enforced",
    })
    .option('network', {
      type: 'boolean',
      describe: "With --vm: a network behind this machine's (default: none)",
    });

export const verifySchema = targetSchema.extend({
  vm: z.boolean().default(false),
  target: containerSchema.shape.unit,
  bootTimeout: z
    .string()
    .regex(/^[1-9]\d*$/, 'wants a whole number of seconds')
    .transform(Number)
    .optional(),
  skipCheck: z.boolean().default(false),
  bus: z.enum(vmBuses).optional(),
  firmware: z.enum(vmFirmwares).optional(),
  secureBoot: z.boolean().default(false),
  network: z.boolean().default(false),
});

export type VerifyArguments = z.infer<typeof verifySchema>;

/** @throws RescueError usage (2) for options of the one proof with the other. */
export const requireOneProof = (given: VerifyArguments): void => {
  const { vm, bus, firmware, secureBoot, network } = given;
  if (vm && given.target !== undefined) {
    throw usageError(
      '--target goes with the container: in a virtual machine the boot loader says what is started.',
      'Leave out --vm or --target.',
    );
  }
  if (!vm && (bus !== undefined || firmware !== undefined || secureBoot || network)) {
    throw usageError('--bus, --firmware, --secure-boot and --network go with --vm.', 'Add --vm.');
  }
  if (secureBoot && firmware === 'bios') {
    throw usageError('--secure-boot is a matter of UEFI: it does not go with --firmware bios.');
  }
};
