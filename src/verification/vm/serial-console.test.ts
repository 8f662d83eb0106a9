import { expect, test } from 'vitest';
import { consoleUse, withSerialConsole } from './serial-console.ts';

const own = (commandLine: string) => ({ kernel: '/k', initramfs: '/i', commandLine });

test('the command line tells whether a system writes to the first serial port', () => {
  expect(consoleUse(own('root=/dev/vda1 console=tty0 console=ttyS0,115200n8'))).toBe('yes');
  expect(consoleUse(own('root=/dev/vda1 quiet'))).toBe('no');
  expect(consoleUse(own('root=/dev/vda1 console=ttyS1'))).toBe('no');
  expect(consoleUse(own('root=/dev/vda1 console=ttyS0 console=tty0'))).toBe('kernel');
  expect(consoleUse(own('root=/dev/vda1 console=ttyS0 console=tty0 console=ttyS0'))).toBe('yes');
  expect(consoleUse(null)).toBe('unknown');
});

test('the second start is the same one with its messages on the serial port', () => {
  const { commandLine } = withSerialConsole(
    own('root=UUID=1 ro quiet splash console=hvc0 rd.luks.uuid=2 systemd.unit=x.target'),
  );
  expect(commandLine).toBe(
    'root=UUID=1 ro rd.luks.uuid=2 systemd.unit=x.target console=tty0 console=ttyS0,115200 systemd.show_status=1 no_timer_check',
  );
});
