/** A rule only lets in what is certain not to be a new ssh connection from elsewhere. */
type Narrow = (rule: string, ports: readonly string[]) => boolean;

const listed = (rule: string, pattern: RegExp): readonly string[] | null => {
  const list = pattern.exec(rule)?.[1];
  return list === undefined ? null : list.split(/[\s,{}]+/).filter((word) => word !== '');
};

/** A port among names and ranges; a name other than ssh's own may be anything. */
const holds = (words: readonly string[], ports: readonly string[]): boolean =>
  words.some((word) => {
    const [from = 0, to = 0] = word.split(/[-:]/).map(Number);
    if (/^\d+[-:]\d+$/.test(word)) {
      return ports.some((port) => Number(port) >= from && Number(port) <= to);
    }
    if (/^\d+$/.test(word)) return ports.includes(word);
    return !/^(?:https?|domain|smtp|imaps?|pop3s?|ntp|dns|mdns|snmp)$/.test(word);
  });

const narrowNft: Narrow = (rule, ports) => {
  if (/[@$]|\bvmap\b/.test(rule)) return /\bct state vmap\b/.test(rule) && !/\bnew\b/.test(rule);
  if (/\biif(?:name)?\s+"?lo"?\b/.test(rule)) return true;
  if (/\bct state\b/.test(rule) && !/\bnew\b/.test(rule)) return true;
  if (/\b(?:icmp|icmpv6|ipv6-icmp|igmp|udp|esp|ah|vrrp)\b/.test(rule) && !/\btcp\b/.test(rule)) {
    return true;
  }
  const words = listed(rule, /\btcp dport\s+(\{[^}]*\}|\S+)/);
  return words !== null && !holds(words, ports);
};

const narrowIptables: Narrow = (rule, ports) => {
  if (/(?:^|\s)-i lo(?:\s|$)/.test(rule)) return true;
  const states = listed(rule, /--(?:ct)?state (\S+)/);
  if (states !== null && !states.includes('NEW')) return true;
  if (/-p (?:icmp|icmpv6|ipv6-icmp|udp|esp|ah|igmp|112)\b/.test(rule)) return true;
  const words = listed(rule, /--dports? (\S+)/);
  return words !== null && !rule.includes('!') && !holds(words, ports);
};

type Chain = { readonly name: string; readonly rules: readonly string[] };

/** Chains of an nftables file, sets within braces kept on their line. */
const nftChains = (text: string): readonly Chain[] => {
  const clean = text.replace(/(^|\s)#.*$/gm, '$1');
  return [...clean.matchAll(/\bchain\s+(\S+)\s*\{((?:[^{}]|\{[^{}]*\})*)\}/g)].map(
    ([, name = '', body = '']) => ({
      name,
      rules: body
        .replace(/\{[^{}]*\}/g, (set) => set.replace(/\s+/g, ' '))
        .split(/[\n;]/)
        .map((rule) => rule.trim())
        .filter((rule) => rule !== ''),
    }),
  );
};

/**
 * The chain of an nftables file that drops every new ssh connection; null when none certainly does.
 *
 * @param ports those on which sshd listens.
 */
export const nftShutsOut = (text: string, ports: readonly string[]): string | null => {
  if (/^\s*include\b/m.test(text.replace(/#.*$/gm, ''))) return null;
  const chains = nftChains(text);
  const body = (name: string) => chains.filter((chain) => chain.name === name);
  const letsIn = (rule: string, depth: number): boolean => {
    const next = /\b(?:jump|goto)\s+(\S+)/.exec(rule)?.[1];
    if (next !== undefined && !narrowNft(rule, ports)) {
      const targets = body(next);
      if (depth > 5 || targets.length === 0) return true;
      return targets.some(({ rules }) => rules.some((each) => letsIn(each, depth + 1)));
    }
    return /\b(?:accept|queue|vmap)\b/.test(rule) && !narrowNft(rule, ports);
  };
  const shut = chains.find(
    ({ rules }) =>
      rules.some((rule) => /\bhook\s+input\b/.test(rule)) &&
      rules.some((rule) => /^policy\s+drop$/.test(rule)) &&
      !rules.some((rule) => !/\bhook\b|^policy\b/.test(rule) && letsIn(rule, 0)),
  );
  return shut?.name ?? null;
};

const iptablesLetsIn = (rules: readonly string[], ports: readonly string[]): boolean =>
  rules.some((rule) => {
    const target = /-[jg] (\S+)/.exec(rule)?.[1] ?? '';
    const ends = /^(?:DROP|REJECT|LOG|NFLOG|RETURN|MARK|CONNMARK|ULOG|f2b-\S+)$/.test(target);
    return target !== '' && !ends && !narrowIptables(rule, ports);
  });

/** Whether rules in the form of iptables-save certainly drop every new ssh connection. */
export const iptablesShutOut = (text: string, ports: readonly string[]): boolean => {
  const filter = /^\*filter$(.*?)^COMMIT$/ms.exec(text)?.[1];
  if (filter === undefined) return false;
  const rules = filter.split('\n').filter((line) => /^-A INPUT\s/.test(line));
  const last = rules.findIndex((rule) => /^-A INPUT -j (?:DROP|REJECT)\b/.test(rule));
  const dropped = last !== -1 || /^:INPUT DROP\b/m.test(filter);
  return dropped && !iptablesLetsIn(last === -1 ? rules : rules.slice(0, last), ports);
};

/** Whether ufw's own rules let no new ssh connection in. */
export const ufwShutsOut = (userRules: string, beforeRules: string, ports: readonly string[]) => {
  const chain = (text: string, names: RegExp) =>
    text.split('\n').filter((line) => names.test(line));
  const own = chain(userRules, /^-A ufw-user-input\s/);
  // What a person adds to before.rules names the port.
  const before = chain(beforeRules, /^-A ufw-before-input\s.*--dports?/);
  return !iptablesLetsIn(own, ports) && !iptablesLetsIn(before, ports);
};
