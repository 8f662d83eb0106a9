import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emergencyScript, runScript, shellScript } from './guest-scripts.ts';
import { guestUnits } from './guest-units.ts';

/** Everything but NUL, which no environment variable can hold, and lone surrogates. */
const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', ''));
const name = fc.stringMatching(/^RK_[A-Za-z0-9_]{1,12}$/);

const exportsOf = (script: string): string =>
  script
    .slice(script.indexOf('export '), script.indexOf('/run/rescuekit/command'))
    .replace(/^cd .*$/m, '');

const shellReads = (script: string, variable: string): string =>
  execFileSync('sh', ['-c', `${script}\nprintf %s "$${variable}"`], {
    env: { PATH: '/usr/bin:/bin' },
  }).toString();

describe('the scripts in the container', () => {
  it('give every --setenv value to the command exactly, whatever a shell would make of it', () => {
    fc.assert(
      fc.property(name, text, (variable, value) => {
        const script = runScript('rescue.target', false, [[variable, value]]);
        expect(shellReads(exportsOf(script), variable)).toBe(value);
      }),
      { numRuns: 60 },
    );
  });

  it('run nothing of a value: substitutions, quotes and line ends stay text', () => {
    const value = `'; echo ran; '$(echo ran)\`echo ran\`"\\\n\${HOME} \t!`;
    const script = runScript(null, false, [['RK_A', value]]);
    expect(shellReads(exportsOf(script), 'RK_A')).toBe(value);
  });

  it('let the person say where HOME is', () => {
    const script = runScript('rescue.target', false, [['HOME', '/nowhere']]);
    expect(shellReads(exportsOf(script), 'HOME')).toBe('/nowhere');
  });

  it('are understood by sh, with every host name, shell and value', () => {
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.constantFrom('rescue.target', 'a@b.service', null),
        (...of) => {
          const [hostname, shell, value, unit] = of;
          const environment = [['RK_A', value]] as const;
          const script = shellScript({ hostname, shell: `/${shell}`, unit, environment });
          execFileSync('sh', ['-n'], { input: script });
        },
      ),
      { numRuns: 40 },
    );
    execFileSync('sh', ['-n'], { input: emergencyScript('rescue.target') });
  });
});

const textOf = (files: ReturnType<typeof guestUnits>, part: string): string =>
  files.find(({ path }) => path.includes(part))?.text ?? '';

describe('the units in the container', () => {
  it('stop the shell by SIGKILL, because bash may sleep through a hangup for 90 seconds', () => {
    const files = guestUnits({ unit: 'rescue.target', purpose: 'shell', hasRescueTarget: true });
    expect(textOf(files, '/rescue.service.d/')).toMatch(/^KillSignal=SIGKILL$/m);
    expect(textOf(files, '/rescue.service.d/')).toMatch(/^SuccessExitStatus=SIGKILL$/m);
  });

  it('give a shell after the wanted unit and no login prompt beside it', () => {
    const unit = 'multi-user.target';
    const files = guestUnits({ unit, purpose: 'shell', hasRescueTarget: true });
    expect(textOf(files, 'rescuekit-run.service')).toMatch(/^After=multi-user\.target$/m);
    expect(textOf(files, 'console-getty')).toMatch(/^ConditionPathExists=!\/run\/rescuekit$/m);
  });

  it('bring a rescue mode for a tree that has none', () => {
    const plan = { unit: 'rescue.target', purpose: 'shell' } as const;
    const paths = (has: boolean) =>
      guestUnits({ ...plan, hasRescueTarget: has }).map((f) => f.path);
    expect(paths(false)).toContain('/run/systemd/system/rescue.target');
    expect(paths(true)).not.toContain('/run/systemd/system/rescue.target');
  });
});
