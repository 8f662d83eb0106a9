import type { Host } from '../../host/host.ts';
import { plainText } from '../../host/plain-text.ts';
import type { Check } from '../check.ts';
import { fileEvidence } from '../file-evidence.ts';

export const defaultsPath = '/etc/default/grub';

export type ShellProblem = { readonly line: number | null; readonly text: string };

/**
 * What a shell says against a text, without running anything of it (sh -n); null when nothing. The
 * text goes in through standard input, so nothing of the disk is opened.
 */
export const shellProblem = async (host: Host, text: string): Promise<ShellProblem | null> => {
  const { exitCode, stderr } = await host.run({
    program: 'sh',
    args: ['-n'],
    input: text,
    accept: Array.from({ length: 256 }, (_, code) => code),
    timeoutSeconds: 10,
    changes: false,
  });
  if (exitCode === 0) return null;
  // It may repeat a line of the file, whatever its length.
  const said = stderr.slice(0, 1024);
  const [, line] = /(?:^|:\s*(?:line )?)(\d+):/.exec(said) ?? [];
  const words = plainText(said.replace(/^.*?\d+:\s*/s, '')).slice(0, 200);
  return { line: line === undefined ? null : Number(line), text: words };
};

/** Can the settings of grub-mkconfig be read? It sources them as a shell script. */
export const defaultGrubCheck: Check = {
  area: 'boot-loader',
  finds: ['boot-loader.default-grub'],
  run: async ({ host, files }) => {
    const text = await files.read(defaultsPath);
    const problem = text === null ? null : await shellProblem(host, text);
    if (problem === null) return [];
    return [
      {
        id: 'boot-loader.default-grub',
        severity: 'warning',
        title: `${defaultsPath} is no valid shell script: ${problem.text}.`,
        subject: defaultsPath,
        evidence: [fileEvidence(defaultsPath, problem.line, problem.text)],
        meaning:
          'update-grub fails, and with it each update of the kernel: the menu keeps naming kernels that are removed.',
        repair: 'boot-loader.mend-defaults',
      },
    ];
  },
};
