import { expect, test } from 'vitest';
import { holdsPrivateKey, withoutHashes } from './hide-secrets.ts';

test('hashes of passwords are named and not shown', () => {
  expect(withoutHashes('+root:$6$salt$abc/DEF.:20782:0:::')).toBe('+root:(hash):20782:0:::');
  expect(withoutHashes('-a:!$y$j9T$x$y:1:')).toBe('-a:!(hash):1:');
  expect(withoutHashes('PATH=$HOME/bin:$PATH')).toBe('PATH=$HOME/bin:$PATH');
});

test('private keys are known by their first line', () => {
  for (const kind of ['', 'RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED ']) {
    expect(holdsPrivateKey(`x\n-----BEGIN ${kind}PRIVATE KEY-----\nabc\n`)).toBe(true);
  }
  expect(holdsPrivateKey('-----BEGIN PUBLIC KEY-----\n')).toBe(false);
});
