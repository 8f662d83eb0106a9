import { basename } from 'node:path/posix';
import type { HostOptions } from '../host/host.ts';
import { RescueError } from '../host/rescue-error.ts';
import type { HookRecord } from '../host/run-hook.ts';
import type { Transcript } from './transcript.ts';

/** "Hook /etc/…/50-zfs failed: it ended with exit code 1. Its last words: …" */
export const failureText = ({ path, failure, output }: HookRecord): string => {
  const last = output.at(-1);
  return `Hook ${path} failed: ${failure}${last === undefined ? '' : `: ${last}`}`;
};

/** A hook that is not run is told of: it was meant to do something. */
export const refusalText = ({ path, failure }: HookRecord): string =>
  `Hook ${path} is not run: ${failure}. Make it root's alone: chown root, chmod go-w.`;

/** The error that ends a job in which a hook failed. */
export const hookFailed = (record: HookRecord): RescueError =>
  new RescueError({
    code: 'HOOK_FAILED',
    message: `${failureText(record)}.`.replace(/\.\.$/, '.'),
    hint: 'Mend the hook, or leave it out: chmod -x. rescuekit status --transcript shows what it printed.',
  });

/** The error of a job that has ended well, while a hook failed when it was taken down. */
export const takeDownHookFailed = (reasons: readonly string[]): RescueError =>
  new RescueError({
    code: 'HOOK_FAILED',
    message: `${reasons.join('; ')}.`.replace(/\.\.$/, '.'),
    hint: 'All that rescuekit itself put up is down. Look whether what the hook should take down is still up.',
  });

/** Shows what hooks print and what became of them; `warning` when something went wrong. */
export type ShowHook = (text: string, kind: 'output' | 'warning') => void;

/** For `createHost`: hooks go to the transcript and to the person. */
export const hookObservers = (
  transcript: Pick<Transcript, 'hook'>,
  show: ShowHook,
): Required<Pick<HostOptions, 'onHook' | 'onHookLine'>> => ({
  onHook: (record) => {
    transcript.hook(record);
    if (record.refused) show(refusalText(record), 'warning');
    else if (record.failure !== null) show(failureText(record), 'warning');
  },
  onHookLine: ({ stage, path }, line) => show(`${stage}/${basename(path)}: ${line}`, 'output'),
});
