import type { OwnKernel } from './vm-request.ts';

const serialConsole = /^console=ttyS0\b/;

const words = (commandLine: string): readonly string[] =>
  commandLine.split(/\s+/).filter((word) => word !== '');

/** What a system writes to the serial line; `kernel`: only its kernel, until a getty comes. */
export type SerialUse = 'yes' | 'kernel' | 'no' | 'unknown';

/**
 * Told from a system's command line. The kernel writes to each console that is named, while the
 * initramfs and systemd write to /dev/console, which is the last one; sulogin speaks on all of them
 * (Documentation/admin-guide/serial-console.rst).
 */
export const consoleUse = (own: OwnKernel | null): SerialUse => {
  if (own === null) return 'unknown';
  const consoles = words(own.commandLine).filter((word) => word.startsWith('console='));
  if (serialConsole.test(consoles.at(-1) ?? '')) return 'yes';
  return consoles.some((word) => serialConsole.test(word)) ? 'kernel' : 'no';
};

/** What hides the messages of kernel and services, or draws over them. */
const hiding =
  /^(?:quiet|splash|rhgb|loglevel=.*|vga=.*|systemd\.show_status=.*|rd\.systemd\.show_status=.*|console=.*)$/;

/**
 * The same start with its messages on the serial line. The last `console=` is the one that
 * `/dev/console` is, so that services and the initramfs write there; a getty is started on each.
 */
export const withSerialConsole = (own: OwnKernel): OwnKernel => ({
  ...own,
  commandLine: [
    ...words(own.commandLine).filter((word) => !hiding.test(word)),
    'console=tty0',
    'console=ttyS0,115200',
    'systemd.show_status=1',
    // An emulated timer that gets no time on a busy host is no fault of the system.
    'no_timer_check',
  ].join(' '),
});
