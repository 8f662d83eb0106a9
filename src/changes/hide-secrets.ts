// Hashes of crypt(5): `$6$salt$…`, `$y$…`; a transcript is no place for what can be guessed at.
const hash = /\$(?:1|2[abxy]?|5|6|7|y|gy|sha1|md5)\$[^\s:]+/g;

/** A line of a difference as it may be shown: hashes of passwords are named and not shown. */
export const withoutHashes = (line: string): string => line.replace(hash, '(hash)');

/** Whether a text holds a private key (RFC 7468, OpenSSH): nothing of it may be shown. */
export const holdsPrivateKey = (text: string): boolean =>
  /^-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/m.test(text);
