import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDynamicElf } from '../../../fixtures/make-dynamic-elf.ts';
import { makeElf } from '../../../fixtures/make-elf.ts';
import { makeTree, type TreeEntry } from '../../../fixtures/make-tree.ts';
import { ownedByRoot } from '../../../fixtures/owned-by-root.ts';
import { answering, subjectOf } from '../../../fixtures/subject.ts';
import type { Subject } from '../subject.ts';
import { accessChecks } from './checks.ts';

const program = (text = ''): TreeEntry => ({
  program: Buffer.concat([makeElf({ machine: 62, loadable: true }), Buffer.from(`\0${text}\0`)]),
});

/** Keywords of sshd as they are in the program: strings that end with NUL. */
const keywords =
  'permitrootlogin port hostkey usepam include match subsystem banner x11forwarding passwordauthentication strictmodes authorizedkeysfile';

const key = '-----BEGIN OPENSSH PRIVATE KEY-----\n';

/** A Debian server with ssh, sudo, a locked root and an account that administers it. */
const server: Readonly<Record<string, TreeEntry>> = {
  'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
  'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
  'usr/lib/systemd/systemd': program('libsystemd-core-252.so'),
  'sbin/init': { link: '/usr/lib/systemd/systemd' },
  'bin/bash': program(),
  'usr/sbin/sshd': program(`${keywords.replaceAll(' ', '\0')}\0libwrap.so.0`),
  'usr/bin/sudo': program('1.9.13p3'),
  'usr/lib/systemd/system/ssh.service': '[Service]\nExecStart=/usr/sbin/sshd -D\n',
  'etc/systemd/system/multi-user.target.wants/ssh.service': {
    link: '/lib/systemd/system/ssh.service',
  },
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nadmin:x:1000:1000::/home/admin:/bin/bash\n',
  'etc/shadow': 'root:*:19000:0:99999:7:::\nadmin:!:19000:0:99999:7:::\n',
  'etc/group': 'root:x:0:\nsudo:x:27:admin\nadmin:x:1000:\n',
  'etc/shells': '/bin/sh\n/bin/bash\n',
  'etc/ssh/sshd_config':
    'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\nSubsystem sftp /usr/lib/openssh/sftp-server\n',
  'etc/ssh/ssh_host_rsa_key': key,
  'etc/ssh/ssh_host_ed25519_key': key,
  'etc/sudoers':
    'Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n',
  'etc/sudoers.d/README': '# nothing\n',
  'home/admin/.ssh/authorized_keys': 'ssh-ed25519 AAAA admin\n',
  'lib/x86_64-linux-gnu/security/pam_unix.so': program(),
  'lib/x86_64-linux-gnu/security/pam_nologin.so': program(),
  'etc/pam.d/sshd':
    '@include common-auth\naccount required pam_nologin.so\nsession [module_unknown=ignore default=bad] pam_selinux.so\n',
  'etc/pam.d/login':
    'auth optional pam_group.so\n@include common-auth\n-session required pam_nologin.so\n',
  'etc/pam.d/common-auth': 'auth [success=1 default=ignore] pam_unix.so nullok\n',
};

const modes: Readonly<Record<string, number>> = {
  'etc/ssh/ssh_host_rsa_key': 0o600,
  'etc/ssh/ssh_host_ed25519_key': 0o600,
  'etc/sudoers': 0o440,
  'home/admin': 0o755,
  'home/admin/.ssh': 0o700,
  'home/admin/.ssh/authorized_keys': 0o600,
};

type Changed = {
  readonly files?: Readonly<Record<string, TreeEntry | null>>;
  readonly modes?: Readonly<Record<string, number>>;
  readonly owners?: Readonly<Record<string, readonly [number, number]>>;
  readonly runInside?: Subject['runInside'];
};

const adminsOwn = { '/home/admin': [1000, 1000], '/home/admin/.ssh': [1000, 1000] } as const;

/** Severity and id of what is found in the server after some changes; null takes a file away. */
const found = async ({ files = {}, modes: more = {}, owners = {}, runInside }: Changed = {}) => {
  const entries = Object.entries({ ...server, ...files }).flatMap(([path, entry]) =>
    entry === null ? [] : [[path, entry] as const],
  );
  await using tree = await makeTree(Object.fromEntries(entries));
  for (const [path, mode] of Object.entries({ ...modes, ...more })) {
    if (files[path] !== null) await chmod(join(tree.root, path), mode);
  }
  const subject = await subjectOf(tree.root, {}, runInside === undefined ? {} : { runInside });
  const owned = { ...subject, files: ownedByRoot(subject.files, { ...adminsOwn, ...owners }) };
  const findings = await Promise.all(accessChecks.map((check) => check.run(owned)));
  const known = new Set(accessChecks.flatMap(({ finds }) => finds));
  for (const { id } of findings.flat()) expect(known).toContain(id);
  return findings
    .flat()
    .filter(({ id }) => id !== 'access.root-locked')
    .map(({ severity, id, subject: about }) => `${severity} ${id} ${about}`);
};

/** A shell in which sshd answers after what the shell is told to say, and all else goes well. */
const shellWith = (sshd: { exitCode: number; stderr: string }, before = '') =>
  answering(({ words }) => {
    const [, said] = /&& echo (\S+) >&2 && exec \S+sshd -t$/.exec(words.join(' ')) ?? [];
    return said === undefined ? {} : { ...sshd, stderr: `${before}${said}\r\n${sshd.stderr}` };
  });

test('a healthy server with a locked root gives nothing but that', async () => {
  expect(await found()).toEqual([]);
});

test('without a ssh server nothing is said about ssh', async () => {
  expect(
    await found({
      files: {
        'usr/sbin/sshd': null,
        // What a package leaves behind that was removed and not purged.
        'usr/lib/systemd/system/ssh.service': null,
        'etc/ssh/sshd_config': null,
        'etc/ssh/ssh_host_rsa_key': '',
      },
    }),
  ).toEqual([]);
});

describe('the program of the ssh service', () => {
  const sshd = 'usr/sbin/sshd';
  const broken = ['critical access.sshd-program /usr/sbin/sshd'];

  test('missing, empty or not executable while the service starts', async () => {
    expect(await found({ files: { [sshd]: null } })).toEqual(broken);
    expect(await found({ files: { [sshd]: '' } })).toEqual(broken);
    expect(await found({ modes: { [sshd]: 0o644 } })).toEqual(broken);
  });

  test('a library that it needs', async () => {
    const image = makeDynamicElf({ needed: ['libcrypto.so.3'] });
    expect(await found({ files: { [sshd]: { program: image } } })).toEqual([
      'critical access.sshd-program libcrypto.so.3',
    ]);
  });

  test('an instance that a socket starts, whose command may fail', async () => {
    const files = {
      [sshd]: null,
      'etc/systemd/system/multi-user.target.wants/ssh.service': null,
      'usr/lib/systemd/system/ssh.socket': '[Socket]\nListenStream=22\nAccept=yes\n',
      'usr/lib/systemd/system/ssh@.service': '[Service]\nExecStart=-/usr/sbin/sshd -i\n',
      'etc/systemd/system/sockets.target.wants/ssh.socket': { link: '/x' },
    };
    expect(await found({ files })).toEqual(broken);
  });

  test('nothing is said where it is not to run, or not started, or on a disk that is not here', async () => {
    const off = { 'etc/systemd/system/multi-user.target.wants/ssh.service': null };
    expect(await found({ files: { [sshd]: null, ...off } })).toEqual([]);
    expect(await found({ files: { [sshd]: null, 'etc/ssh/sshd_not_to_be_run': '' } })).toEqual([]);
    const own = '[Service]\nExecStart=/run/current-system/sw/bin/sshd -D\n';
    const unit = 'usr/lib/systemd/system/ssh.service';
    expect(await found({ files: { [sshd]: null, [unit]: own } })).toEqual([]);
  });

  const saying = (stderr: string, exitCode = 255) => shellWith({ exitCode, stderr });

  test('whatever it says when it does not start is a finding', async () => {
    for (const stderr of [
      'Privilege separation user sshd does not exist\r\n',
      'Missing privilege separation directory: /usr/share/empty.sshd\n',
      'sshd: error while loading shared libraries: libwrap.so.0: cannot open shared object file\n',
    ]) {
      expect(await found({ runInside: saying(stderr) })).toEqual([
        'critical access.sshd-fails /usr/sbin/sshd',
      ]);
    }
  });

  test('what only the container lacks, and keys that are looked at elsewhere, are none', async () => {
    for (const stderr of [
      'sshd: no hostkeys available -- exiting.\n',
      '/etc/ssh/sshd_config line 3: bad addr or host: web-3 (Temporary failure in name resolution)\n',
      'Missing privilege separation directory: /var/run/sshd\n',
    ]) {
      expect(await found({ runInside: saying(stderr) })).toEqual([]);
    }
  });
});

test('a container that does not come as far as sshd tells nothing of it', async () => {
  for (const [exitCode, stderr] of [
    [1, "mkdir: cannot create directory '/run/sshd': No space left on device\n"],
    [32, 'mount: /run: permission denied.\n'],
    [1, 'Directory tree /run/rescuekit/root is currently busy.\n'],
    [1, 'Failed to create /root/etc directory: Read-only file system\n'],
  ] as const) {
    const runInside = answering(({ words }) =>
      words.join(' ').includes('sshd -t') ? { exitCode, stderr } : { exitCode: 0 },
    );
    expect(await found({ runInside }), stderr).toEqual([]);
  }
});

test('what the shell said before sshd was started is no word of sshd', async () => {
  await using tree = await makeTree(server);
  const runInside = shellWith({ exitCode: 255, stderr: 'no user sshd\n' }, 'sh: a warning\n');
  const subject = await subjectOf(tree.root, {}, { runInside });
  const found = (await Promise.all(accessChecks.map((check) => check.run(subject)))).flat();
  const evidence = found.find(({ id }) => id === 'access.sshd-fails')?.evidence;
  expect(evidence).toMatchObject([{ output: 'no user sshd\nexit status 255' }]);
});

describe('other distributions are as healthy', () => {
  test('SUSE keeps sshd_config and sudoers below /usr', async () => {
    const files = {
      'etc/os-release': 'ID="opensuse-tumbleweed"\n',
      'etc/ssh/sshd_config': null,
      'usr/etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n',
      'etc/sudoers': null,
      'usr/etc/sudoers': 'root ALL=(ALL) ALL\n',
      'etc/ssh/ssh_host_rsa_key': null,
      'etc/ssh/ssh_host_ed25519_key': null,
      'usr/lib/systemd/system/sshd.service':
        '[Service]\nExecStartPre=/usr/sbin/sshd-gen-keys-start\n',
      'etc/pam.d/common-auth': null,
      'usr/lib/pam.d/common-auth': 'auth required pam_unix.so\n',
    };
    expect(await found({ files })).toEqual([]);
  });

  test('Fedora: keys for a group, PAM behind links, keys made by a unit', async () => {
    const files = {
      'etc/os-release': 'ID=fedora\n',
      'etc/group': 'root:x:0:\nwheel:x:10:admin\nssh_keys:x:999:\nadmin:x:1000:\n',
      'etc/authselect/system-auth': 'auth required pam_unix.so\naccount required pam_unix.so\n',
      'etc/pam.d/system-auth': { link: '/etc/authselect/system-auth' },
      'etc/pam.d/sshd': 'auth substack system-auth\naccount include system-auth\n',
      'etc/pam.d/login': 'auth include system-auth\n-session optional pam_systemd_home.so\n',
      'etc/sudoers':
        'Defaults !visiblepw\nroot\tALL=(ALL) \tALL\n%wheel ALL=(ALL) ALL\n#includedir /etc/sudoers.d\n',
    };
    const keyFile = '/etc/ssh/ssh_host_rsa_key';
    expect(
      await found({ files, modes: { [keyFile]: 0o640 }, owners: { [keyFile]: [0, 999] } }),
    ).toEqual([]);
  });

  test('Alpine: OpenRC starts sshd, whose script makes the keys, and there is no PAM', async () => {
    const files = {
      'etc/os-release': 'ID=alpine\n',
      'usr/lib/systemd/systemd': null,
      'sbin/init': program('BusyBox v1.36'),
      'usr/lib/systemd/system/ssh.service': null,
      'etc/systemd/system/multi-user.target.wants/ssh.service': null,
      'etc/runlevels/default/sshd': { link: '/etc/init.d/sshd' },
      'etc/init.d/sshd': 'generate_host_keys() { ssh-keygen -A; }\n',
      'etc/ssh/ssh_host_rsa_key': null,
      'etc/ssh/ssh_host_ed25519_key': null,
      'etc/pam.d/sshd': null,
      'etc/pam.d/login': null,
      'etc/pam.d/common-auth': null,
      'lib/x86_64-linux-gnu/security/pam_unix.so': null,
      'lib/x86_64-linux-gnu/security/pam_nologin.so': null,
    };
    expect(await found({ files })).toEqual([]);
  });
});

describe('the configuration of sshd', () => {
  const config = (text: string) => ({ files: { 'etc/ssh/sshd_config': text } });
  const invalid = (line: number) => [
    `critical access.sshd-config-invalid /etc/ssh/sshd_config:${line}`,
  ];

  test.each([
    ['PermitRootLogn no\n', 1],
    ['UsePAM yes\nPort 99999\n', 2],
    ['PermitRootLogin maybe\n', 1],
    ['Banner "/etc/issue\n', 1],
    ['Match User git\nUsePAM yes\n', 2],
    ['Match Usr git\n', 1],
    ['Subsystem sftp\n', 1],
    ['Port\n', 1],
  ] as const)('%j is refused', async (text, line) => {
    expect(await found(config(text))).toEqual(invalid(line));
  });

  test('sshd itself knows better than reading', async () => {
    const yes = shellWith({ exitCode: 0, stderr: '' });
    expect(await found({ ...config('PermitRootLogin maybe\n'), runInside: yes })).toEqual([]);
    const stderr = '/etc/ssh/sshd_config line 2: Bad SSH2 cipher spec "x".\n';
    const no = shellWith({ exitCode: 255, stderr });
    expect(await found({ ...config('UsePAM yes\nBanner none\n'), runInside: no })).toEqual(
      invalid(2),
    );
  });

  test('missing is critical and empty a warning', async () => {
    expect(await found({ files: { 'etc/ssh/sshd_config': null } })).toEqual([
      'critical access.sshd-config-missing /etc/ssh/sshd_config',
    ]);
    expect(await found(config(''))).toEqual([
      'warning access.sshd-config-missing /etc/ssh/sshd_config',
    ]);
  });

  test('another port is worth knowing', async () => {
    expect(await found(config('Port 2222\n'))).toEqual([
      'info access.sshd-port /etc/ssh/sshd_config',
    ]);
  });
});

describe('host keys', () => {
  const none = { 'etc/ssh/ssh_host_rsa_key': null, 'etc/ssh/ssh_host_ed25519_key': null };

  test('none is critical, unless something makes them at the first boot', async () => {
    expect(await found({ files: none })).toEqual(['critical access.host-keys-missing /etc/ssh']);
    const fresh = { ...none, 'usr/bin/cloud-init': program() };
    expect(await found({ files: fresh })).toEqual([]);
    const used = { ...fresh, 'var/lib/cloud/instance': { directory: true } as const };
    expect(await found({ files: used })).toHaveLength(1);
    const unit = 'etc/systemd/system/multi-user.target.wants/regenerate_ssh_host_keys.service';
    expect(await found({ files: { ...none, [unit]: 'x' } })).toEqual([]);
    const once = {
      ...none,
      'etc/systemd/system/ssh.service.wants/sshd-keygen.service': { link: '/x' },
      'usr/lib/systemd/system/sshd-keygen.service': '[Unit]\nConditionFirstBoot=yes\n',
    };
    expect(await found({ files: { ...once, 'etc/machine-id': 'uninitialized\n' } })).toEqual([]);
    expect(await found({ files: once })).toEqual(['critical access.host-keys-missing /etc/ssh']);
  });

  test('an open or empty key is critical only when no other is usable', async () => {
    expect(await found({ modes: { 'etc/ssh/ssh_host_rsa_key': 0o644 } })).toEqual([
      'warning access.host-key-mode /etc/ssh/ssh_host_rsa_key',
    ]);
    expect(
      await found({
        files: { 'etc/ssh/ssh_host_rsa_key': '', 'etc/ssh/ssh_host_ed25519_key': '' },
      }),
    ).toEqual([
      'critical access.host-key-broken /etc/ssh/ssh_host_rsa_key',
      'critical access.host-key-broken /etc/ssh/ssh_host_ed25519_key',
    ]);
  });

  test('the group ssh_keys of Fedora may read them', async () => {
    expect(
      await found({
        files: { 'etc/group': 'root:x:0:\nssh_keys:x:999:\nsudo:x:27:admin\nadmin:x:1000:\n' },
        modes: { 'etc/ssh/ssh_host_rsa_key': 0o640 },
        owners: { '/etc/ssh/ssh_host_rsa_key': [0, 999] },
      }),
    ).toEqual([]);
  });
});

describe('authorized keys', () => {
  const refused = ['critical access.authorized-keys-mode admin'];

  test('what others may write is not trusted', async () => {
    expect(await found({ modes: { 'home/admin': 0o777 } })).toEqual(refused);
    expect(await found({ owners: { '/home/admin/.ssh': [1001, 1001] } })).toEqual(refused);
  });

  test('it is a warning when somebody can log in with a password', async () => {
    const files = { 'etc/shadow': 'root:*:19000:0:99999:7:::\nadmin:$6$x:19000:0:99999:7:::\n' };
    const modes777 = { 'home/admin': 0o777 };
    expect(await found({ files, modes: modes777 })).toEqual([
      'warning access.authorized-keys-mode admin',
    ]);
    const keysOnly = { ...files, 'etc/ssh/sshd_config': 'PasswordAuthentication no\n' };
    expect(await found({ files: keysOnly, modes: modes777 })).toEqual(refused);
  });

  test('Debian trusts a private group, others and other groups it does not', async () => {
    expect(await found({ modes: { 'home/admin': 0o775 } })).toEqual([]);
    expect(
      await found({ modes: { 'home/admin': 0o775 }, files: { 'etc/os-release': 'ID=fedora\n' } }),
    ).toEqual(refused);
    expect(
      await found({ modes: { 'home/admin': 0o775 }, owners: { '/home/admin': [1000, 27] } }),
    ).toEqual(refused);
  });

  test('StrictModes off, or another place for the keys, is an arrangement of its own', async () => {
    for (const line of ['StrictModes no', 'AuthorizedKeysFile /etc/ssh/keys/%u']) {
      const files = { 'etc/ssh/sshd_config': `${line}\n` };
      expect(await found({ files, modes: { 'home/admin': 0o777 } })).toEqual([]);
    }
  });
});

describe('accounts', () => {
  const passwd = (root: string, admin = '/bin/bash') => ({
    files: {
      'etc/passwd': `root:x:0:0::/root:${root}\nadmin:x:1000:1000::/home/admin:${admin}\n`,
    },
  });

  test('a shell that is not on the disk', async () => {
    expect(await found(passwd('/usr/bin/zsh'))).toEqual([
      'critical access.root-shell-missing root',
    ]);
    expect(await found(passwd('/bin/bash', '/usr/bin/fish'))).toEqual([
      'warning access.shell-missing admin',
    ]);
    expect(await found(passwd('/usr/sbin/nologin'))).toEqual([]);
    expect(await found(passwd('/run/current-system/sw/bin/bash'))).toEqual([]);
  });

  test('expired accounts: critical when nobody else administers', async () => {
    const shadow = (root: string, admin: string) => ({
      files: { 'etc/shadow': `root:${root}\nadmin:${admin}\n` },
    });
    const [healthy, expired] = ['*:19000:0:99999:7:::', '!:19000:0:99999:7::18000:'];
    expect(await found(shadow(healthy, expired))).toEqual(['warning access.account-expired admin']);
    expect(await found(shadow(expired, expired))).toEqual([
      'critical access.account-expired root',
      'critical access.account-expired admin',
    ]);
    expect(await found(shadow(healthy, '$6$x:0:0:99999:7:::'))).toEqual([
      'info access.account-expired admin',
    ]);
    expect(await found(shadow(healthy, '$6$x:19000:0:90:7:30::'))).toEqual([
      'warning access.account-expired admin',
    ]);
  });
});

describe('PAM', () => {
  test('a required module that is not there', async () => {
    const files = { 'etc/pam.d/common-auth': 'auth required pam_tally2.so\n' };
    expect(await found({ files })).toEqual([
      'critical access.pam-module-missing /etc/pam.d/common-auth:1',
    ]);
  });

  test('sufficient, optional and password lines without their module do no harm', async () => {
    const text = 'auth sufficient pam_a.so\nauth optional pam_b.so\npassword required pam_c.so\n';
    expect(await found({ files: { 'etc/pam.d/common-auth': text } })).toEqual([]);
  });

  test('an included file that is missing or empty', async () => {
    for (const entry of [null, '', '# only a comment\n']) {
      expect(await found({ files: { 'etc/pam.d/common-auth': entry } })).toEqual([
        'critical access.pam-file-missing common-auth',
      ]);
    }
  });

  test('openSUSE: files of pam-config that hold their comment alone', async () => {
    const comment = '#%PAM-1.0\n#\n# This file is autogenerated by pam-config. All changes\n';
    const suse = {
      'etc/pam.d/common-auth': null,
      'etc/pam.d/login': null,
      'etc/pam.d/sshd': null,
      'usr/lib/pam.d/sshd':
        '#%PAM-1.0\nauth requisite pam_nologin.so\nauth include common-auth\nauth include postlogin-auth\naccount include common-account\naccount include postlogin-account\n',
      'etc/pam.d/common-auth-pc': `${comment}auth required pam_unix.so\n`,
      'etc/pam.d/common-account-pc': `${comment}account required pam_unix.so\n`,
      'etc/pam.d/postlogin-auth-pc': comment,
      'etc/pam.d/postlogin-account-pc': comment,
    };
    const links = Object.fromEntries(
      ['common-auth', 'common-account', 'postlogin-auth', 'postlogin-account'].map((name) => [
        `etc/pam.d/${name}`,
        { link: `${name}-pc` },
      ]),
    );
    expect(await found({ files: { ...suse, ...links } })).toEqual([]);
    // What a full disk left is no file of pam-config.
    const cut = { ...suse, ...links, 'etc/pam.d/postlogin-account-pc': '' };
    expect(await found({ files: cut })).toEqual([
      'critical access.pam-file-missing postlogin-account',
    ]);
    const blank = { ...suse, ...links, 'etc/pam.d/common-account-pc': comment };
    // No module is left that judges the account.
    expect(await found({ files: blank })).toEqual([
      'critical access.pam-file-missing common-account',
      'critical access.pam-file-missing postlogin-account',
    ]);
  });

  test('Debian: a common file that was left with its comments, or empty', async () => {
    const modules = 'session required pam_unix.so\n';
    const files = {
      'etc/pam.d/sshd': `${server['etc/pam.d/sshd']}${modules}@include common-session\n`,
    };
    for (const entry of ['', '# here are the per-package modules\n']) {
      expect(await found({ files: { ...files, 'etc/pam.d/common-session': entry } })).toEqual([
        'critical access.pam-file-missing common-session',
      ]);
    }
  });

  test('a mistyped type or control', async () => {
    const text = 'acount required pam_unix.so\nauth requried pam_unix.so\n';
    expect(await found({ files: { 'etc/pam.d/common-auth': text } })).toEqual([
      'critical access.pam-line-invalid /etc/pam.d/common-auth:1',
      'critical access.pam-line-invalid /etc/pam.d/common-auth:2',
    ]);
  });
});

describe('sudo', () => {
  test('owner and mode', async () => {
    expect(await found({ modes: { 'etc/sudoers': 0o666 } })).toEqual([
      'critical access.sudoers-mode /etc/sudoers',
    ]);
    expect(await found({ owners: { '/etc/sudoers.d/README': [1000, 1000] } })).toEqual([
      'warning access.sudoers-mode /etc/sudoers.d/README',
    ]);
    const rootKey = { 'root/.ssh/authorized_keys': 'ssh-ed25519 AAAA x\n' };
    expect(await found({ files: rootKey, modes: { 'etc/sudoers': 0o666 } })).toEqual([
      'warning access.sudoers-mode /etc/sudoers',
    ]);
  });

  test('a rule that cannot be read: old versions refuse everything', async () => {
    const rule = { 'etc/sudoers.d/90-x': 'deploy\n' };
    expect(await found({ files: rule })).toEqual([
      'warning access.sudoers-invalid /etc/sudoers.d/90-x:1',
    ]);
    expect(await found({ files: { ...rule, 'usr/bin/sudo': program('1.8.27') } })).toEqual([
      'critical access.sudoers-invalid /etc/sudoers.d/90-x:1',
    ]);
  });

  test('missing', async () => {
    expect(await found({ files: { 'etc/sudoers': null } })).toEqual([
      'critical access.sudoers-missing /etc/sudoers',
    ]);
  });
});

describe('what else shuts people out', () => {
  const denied = 'critical access.hosts-deny /etc/hosts.deny:2';

  test('hosts.deny, unless hosts.allow has an exception or sshd does not ask', async () => {
    const deny = { 'etc/hosts.deny': '# x\nALL: ALL\n' };
    expect(await found({ files: deny })).toEqual([denied]);
    expect(await found({ files: { ...deny, 'etc/hosts.allow': 'sshd: 10.\n' } })).toEqual([]);
    const plain = { 'usr/sbin/sshd': program(keywords.replaceAll(' ', '\0')) };
    expect(await found({ files: { ...deny, ...plain } })).toEqual([]);
    expect(await found({ files: { 'etc/hosts.deny': 'ALL: PARANOID\n' } })).toEqual([]);
  });

  test('nologin', async () => {
    expect(await found({ files: { 'etc/nologin': '' } })).toEqual([
      'critical access.nologin /etc/nologin',
    ]);
  });

  test('a masked service, and one that nothing starts', async () => {
    const mask = { 'etc/systemd/system/ssh.service': { link: '/dev/null' } };
    expect(await found({ files: mask })).toEqual(['critical access.ssh-masked ssh.service']);
    const off = { 'etc/systemd/system/multi-user.target.wants/ssh.service': null };
    expect(await found({ files: off })).toEqual(['info access.ssh-disabled ssh.service']);
    const state = 'var/lib/systemd/deb-systemd-helper-enabled/multi-user.target.wants/ssh.service';
    expect(await found({ files: { ...off, [state]: '' } })).toEqual([
      'warning access.ssh-disabled ssh.service',
    ]);
    const socket = { 'etc/systemd/system/sockets.target.wants/ssh.socket': { link: '/x' } };
    expect(await found({ files: { ...off, ...socket } })).toEqual([]);
  });

  test('a firewall that starts and has no rule for ssh', async () => {
    const rules = {
      'etc/nftables.conf':
        'table inet f {\n chain input {\n  type filter hook input priority 0; policy drop;\n  tcp dport 80 accept\n }\n}\n',
    };
    expect(await found({ files: rules })).toEqual([]);
    const wants = 'etc/systemd/system/sysinit.target.wants/nftables.service';
    expect(await found({ files: { ...rules, [wants]: { link: '/x' } } })).toEqual([
      'warning access.firewall-shuts-ssh-out /etc/nftables.conf',
    ]);
  });

  test('auditd that would halt now, and one that only might', async () => {
    const audit = (left: number) => ({
      'etc/audit/auditd.conf': `admin_space_left = ${left}\nadmin_space_left_action = HALT\n`,
      'etc/systemd/system/multi-user.target.wants/auditd.service': { link: '/x' },
      'var/log/audit/audit.log': '',
    });
    const id = 'access.auditd-halts admin_space_left_action';
    expect(await found({ files: audit(1) })).toEqual([`info ${id}`]);
    expect(await found({ files: audit(10 ** 9) })).toEqual([`critical ${id}`]);
  });

  test('what is meant so on hardened and old machines is told of and no more', async () => {
    const login = { 'etc/pam.d/login': 'auth required pam_securetty.so\n@include common-auth\n' };
    const module = { 'lib/x86_64-linux-gnu/security/pam_securetty.so': program() };
    expect(await found({ files: { ...login, ...module, 'etc/securetty': '# none\n' } })).toEqual([
      'info access.securetty /etc/securetty',
    ]);
    const audit = {
      'etc/audit/auditd.conf': 'disk_full_action = SUSPEND\n',
      'etc/audit/rules.d/10-base.rules': '-D\n-f 2\n',
      'etc/systemd/system/multi-user.target.wants/auditd.service': { link: '/x' },
    };
    expect(await found({ files: audit })).toEqual(['info access.audit-panics audit']);
  });

  test('SELinux without its policy, where the kernel asks for one', async () => {
    const config = { 'etc/selinux/config': 'SELINUX=enforcing\nSELINUXTYPE=targetted\n' };
    const fedora = { ...config, 'etc/os-release': 'ID=fedora\n' };
    expect(await found({ files: config })).toEqual([]);
    expect(await found({ files: fedora })).toEqual([
      'critical access.selinux-policy-missing targetted',
    ]);
    const policy = { 'etc/selinux/targetted/policy/policy.33': 'x' };
    expect(await found({ files: { ...fedora, ...policy, '.autorelabel': '' } })).toEqual([]);
  });

  const enforcing = 'SELINUX=enforcing\nSELINUXTYPE=targeted\n';
  const missing = ['critical access.selinux-policy-missing targeted'];

  test('SELinux by the words of the boot entry that is started', async () => {
    const files = (options: string) => ({
      'etc/selinux/config': enforcing,
      'etc/os-release': 'ID=fedora\n',
      'etc/default/grub': 'GRUB_CMDLINE_LINUX="rhgb quiet"\n',
      'boot/grub2/grub.cfg': 'insmod blscfg\nblscfg\n',
      'boot/vmlinuz-6.8.5-301.fc40.x86_64': 'k',
      'boot/loader/entries/m-6.8.5-301.fc40.x86_64.conf': `title Fedora\nversion 6.8.5-301.fc40.x86_64\nlinux /vmlinuz-6.8.5-301.fc40.x86_64\noptions root=UUID=1 ro ${options}\n`,
    });
    for (const off of ['selinux=0', 'enforcing=0', 'lsm=lockdown,yama,bpf', 'security=apparmor']) {
      expect(await found({ files: files(off) })).toEqual([]);
    }
    for (const on of ['rhgb', 'security=selinux', 'lsm=yama,selinux', 'xselinux=2']) {
      expect(await found({ files: files(on) })).toEqual(missing);
    }
  });

  test('SUSE runs SELinux where the command line says so', async () => {
    const suse = {
      'etc/selinux/config': enforcing,
      'etc/os-release': 'ID="opensuse-leap"\n',
    };
    const line = (words: string) => ({
      'etc/default/grub': `GRUB_CMDLINE_LINUX_DEFAULT="splash=silent ${words}"\n`,
    });
    expect(await found({ files: suse })).toEqual([]);
    expect(await found({ files: { ...suse, ...line('security=apparmor') } })).toEqual([]);
    expect(await found({ files: { ...suse, ...line('security=selinux selinux=1') } })).toEqual(
      missing,
    );
  });
});

test('files of odd kinds in the place of all these do no harm', async () => {
  const odd = Object.keys(server)
    .filter(
      (path) => path.startsWith('etc/') && !path.includes('.wants') && !path.endsWith('.d/README'),
    )
    .map((path) => [path, { fifo: true }] as const);
  await using tree = await makeTree({ ...server, ...Object.fromEntries(odd) });
  const subject = await subjectOf(tree.root);
  for (const check of accessChecks) expect(await check.run(subject)).toBeInstanceOf(Array);
});
