import { type HealthySystem, healthySystems } from '../../../fixtures/bootable/healthy-systems.ts';
import { describeHealthy } from '../../../fixtures/bootable/judge-boots.ts';

describeHealthy('healthy systems boot', Object.keys(healthySystems) as HealthySystem[]);
