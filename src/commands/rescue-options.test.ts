import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBind, parsePort, parseSetenv } from './rescue-options.ts';

const path = fc.string({ unit: 'grapheme' }).map((text) => `/${text.replaceAll('\0', '')}`);
const escaped = (text: string): string => text.replaceAll(/[:\\]/g, '\\$&');

describe('--bind', () => {
  it('takes every pair of absolute paths with colons and backslashes written as \\: and \\\\', () => {
    fc.assert(
      fc.property(path, path, (source, destination) => {
        const text = `${escaped(source)}:${escaped(destination)}`;
        expect(parseBind(text, false)).toEqual({ source, destination, readOnly: false });
      }),
    );
  });

  it('shows a path at its own place when there is only one', () => {
    const bind = { source: '/a b', destination: '/a b', readOnly: true };
    expect(parseBind('/a b', true)).toEqual(bind);
  });

  it.each(['', 'a', '/a:b', '/a:/b:/c', ':/a', '/a:'])('refuses %j', (text) => {
    expect(() => parseBind(text, false)).toThrow(/wants SRC or SRC:DST/);
  });
});

describe('--port', () => {
  it('takes tcp unless udp is said', () => {
    expect(parsePort('8080:80')).toEqual({ protocol: 'tcp', host: 8080, guest: 80 });
    expect(parsePort('udp:53:53')).toEqual({ protocol: 'udp', host: 53, guest: 53 });
  });

  it.each(['80', '0:1', '1:65536', 'sctp:1:1', '1:1:1'])('refuses %j', (text) => {
    expect(() => parsePort(text)).toThrow(/wants HOST:GUEST/);
  });
});

describe('--setenv', () => {
  it('takes any value, empty ones and line ends too', () => {
    expect(parseSetenv('A=')).toEqual(['A', '']);
    expect(parseSetenv('A_1=b=c\nd')).toEqual(['A_1', 'b=c\nd']);
  });

  it.each(['A', '=b', '1A=b', 'A-B=c', 'A;x=c'])('refuses %j', (text) => {
    expect(() => parseSetenv(text)).toThrow(/wants NAME=VALUE/);
  });
});
