import { describe, expect, test } from 'vitest';
import { iptablesShutOut, nftShutsOut, ufwShutsOut } from './firewall-rules.ts';

const nft = (rules: string, more = '') =>
  nftShutsOut(
    `#!/usr/sbin/nft -f\nflush ruleset\ntable inet filter {\n chain input {\n  type filter hook input priority filter; policy drop;\n  ct state established,related accept\n  iif "lo" accept\n  ip protocol icmp accept\n${rules}\n }\n${more}}\n`,
    ['22'],
  );

describe('nftables', () => {
  test.each([
    'tcp dport { 80, 443 } accept',
    'udp dport 53 accept',
    'tcp dport 80 accept # tcp dport 22 accept',
    'log prefix "drop " counter drop',
  ])('nothing lets ssh in: %s', (rule) => {
    expect(nft(rule)).toBe('input');
  });

  test.each([
    'tcp dport 22 accept',
    'tcp dport { 80, ssh } ct state new accept',
    'tcp dport 20-30 accept',
    'ip saddr 10.0.0.0/8 accept',
    'tcp dport @open accept',
    'tcp dport $PORTS accept',
    'tcp dport vmap { 22 : accept, 80 : accept }',
    'jump services',
    'jump gone',
    'accept',
  ])('something may let ssh in: %s', (rule) => {
    expect(nft(rule, ' chain services {\n  tcp dport 22 accept\n }\n')).toBeNull();
  });

  test('a chain that is jumped to is followed', () => {
    expect(nft('jump web', ' chain web {\n  tcp dport 443 accept\n }\n')).toBe('input');
  });

  test('Debian’s own file, which accepts, and one with an include give nothing', () => {
    expect(
      nftShutsOut(
        'table inet filter {\n chain input {\n type filter hook input priority filter;\n }\n}',
        ['22'],
      ),
    ).toBeNull();
    expect(nftShutsOut(`include "/etc/nftables.d/*"\n${'x'}`, ['22'])).toBeNull();
  });
});

const save = (policy: string, rules: readonly string[]) =>
  iptablesShutOut(
    ['*filter', `:INPUT ${policy} [0:0]`, ':FORWARD DROP [0:0]', ...rules, 'COMMIT', ''].join('\n'),
    ['22'],
  );

describe('iptables-save', () => {
  const base = [
    '-A INPUT -i lo -j ACCEPT',
    '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  ];

  test('ports that are not ssh’s, and a last rule that rejects, shut it out', () => {
    expect(save('DROP', [...base, '-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT'])).toBe(
      true,
    );
    expect(save('ACCEPT', [...base, '-A INPUT -j REJECT --reject-with icmp-host-prohibited'])).toBe(
      true,
    );
  });

  test('an accepted port, range, source or unknown chain may let it in', () => {
    for (const rule of [
      '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT',
      '-A INPUT -p tcp --dport 20:30 -j ACCEPT',
      '-A INPUT -s 10.0.0.0/8 -j ACCEPT',
      '-A INPUT -j services',
      '-A INPUT -p tcp ! --dport 80 -j ACCEPT',
    ]) {
      expect(save('DROP', [...base, rule]), rule).toBe(false);
    }
    expect(save('ACCEPT', base)).toBe(false);
  });
});

test('ufw: its own chain and what was added to before.rules count', () => {
  const web = '-A ufw-user-input -p tcp --dport 80 -j ACCEPT\n';
  expect(ufwShutsOut(web, '', ['22'])).toBe(true);
  expect(
    ufwShutsOut(`${web}-A ufw-user-input -p tcp --dport 22 -j ufw-user-limit-accept\n`, '', ['22']),
  ).toBe(false);
  expect(ufwShutsOut(web, '-A ufw-before-input -p tcp --dport 22 -j ACCEPT\n', ['22'])).toBe(false);
});
