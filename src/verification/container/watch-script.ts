import { guestDirectory } from '../../container/guest-units.ts';
import { shellQuote } from '../../host/command.ts';

export type WatchRequest = {
  readonly unit: string;
  /** Seconds until the start-up jobs must be done. */
  readonly limitSeconds: number;
  /** Begins each heading of the report; random, so that no unit's journal can be taken for one. */
  readonly mark: string;
};

/** Lines of a unit's journal that are handed over; the end says why it failed. */
const journalLines = 60;

/** Seconds for jobs that the target does not wait for, once it is reached. */
const graceSeconds = 30;

const unitProperties = [
  'Id',
  'Description',
  'Result',
  'ExecMainStatus',
  'SubState',
  'InactiveEnterTimestampMonotonic',
];

const show = (properties: readonly string[]): string =>
  `systemctl show ${properties.map((name) => `--property=${name}`).join(' ')}`;

/**
 * Waits until PID 1 has no start-up job left. By asking again and again: `is-system-running --wait`
 * is not there before systemd 240, and a time limit is needed beside it.
 */
const waitLines = ({
  unit,
  limitSeconds,
}: WatchRequest): string => `uptime() { read -r now rest </proc/uptime; now=\${now%.*}; }
uptime
end=$((now + ${limitSeconds}))
outcome=settled
reached=no
round=0
while :; do
  system=$(systemctl is-system-running 2>/dev/null)
  case $system in initializing | starting | '') ;; *) break ;; esac
  uptime
  if [ "$reached" = no ] && [ "$(systemctl is-active ${shellQuote(unit)} 2>/dev/null)" = active ]; then
    reached=yes
    [ $((now + ${graceSeconds})) -ge "$end" ] || end=$((now + ${graceSeconds}))
  fi
  if [ "$now" -ge "$end" ]; then outcome=timeout; break; fi
  round=$((round + 1))
  if [ $((round % 10)) -eq 0 ]; then
    systemctl list-jobs --no-legend --no-pager 2>/dev/null |
      while read -r job name type state; do
        if [ "$state" = running ]; then printf 'busy %s\\n' "$name" >&3; break; fi
      done
  fi
  sleep 0.1
done
`;

/** What is known of one unit: its properties and the end of its journal. */
const unitFunction = `unit() {
  section "unit $1"
  ${show(unitProperties)} "$1" 2>/dev/null
  section "journal $1"
  journalctl --boot --quiet --no-pager --no-hostname --output=short-monotonic --lines=${journalLines} --unit="$1" 2>/dev/null
}
`;

/**
 * The script that watches a boot from inside and reports: events as they happen, the report in
 * sections on the FIFO for standard output, the whole journal on its own. It ends the container:
 * nothing of it is kept, so no unit is stopped in its order.
 */
export const watchScript = (request: WatchRequest): string => {
  const { unit, mark } = request;
  return `#!/bin/sh
exec 3>${guestDirectory}/events 4>${guestDirectory}/stdout
leave() {
  systemctl --force --force poweroff
  systemctl --no-block --force poweroff
}
if ! command -v systemctl >/dev/null 2>&1; then
  printf 'state unknown\\n' >&3
  exit 1
fi
${waitLines(request)}
section() { printf '%s %s\\n' ${shellQuote(mark)} "$1"; }
${unitFunction}
state=$(systemctl is-active ${shellQuote(unit)} 2>/dev/null)
printf 'state %s\\n' "$state" >&3
journalctl --sync 2>/dev/null
analyze() { systemd-analyze --no-pager "$@" 2>/dev/null; }
analyze blame >/run/rescuekit-blame &
analyze critical-chain ${shellQuote(unit)} >/run/rescuekit-chain &
jobs=$(systemctl list-jobs --no-legend --no-pager 2>/dev/null)
failed=$(systemctl list-units --failed --plain --no-legend --no-pager 2>/dev/null)
{
  section outcome
  printf '%s\\n' "$outcome"
  section system
  printf '%s\\n' "$system"
  section target
  ${show(['Id', 'LoadState', 'ActiveState', 'ActiveEnterTimestampMonotonic'])} ${shellQuote(unit)}
  section manager
  ${show(['Version', 'UserspaceTimestampMonotonic', 'FinishTimestampMonotonic'])}
  section jobs
  printf '%s\\n' "$jobs"
  section active
  systemctl list-units --type=target --state=active --plain --no-legend --no-pager
  section required
  ${show(['Requires', 'BindsTo', 'Requisite'])} local-fs.target sysinit.target basic.target multi-user.target ${shellQuote(unit)}
  [ -z "$failed" ] || printf '%s\\n' "$failed" | while read -r name rest; do
    printf 'failed %s\\n' "$name" >&3
    unit "$name"
  done
  [ -z "$jobs" ] || printf '%s\\n' "$jobs" | while read -r job name type status; do
    [ "$status" != running ] || unit "$name"
  done
  wait
  section blame
  cat /run/rescuekit-blame
  section chain
  cat /run/rescuekit-chain
  section end
} >&4 2>/dev/null
journalctl --boot --quiet --no-pager --no-hostname --output=short-monotonic >${guestDirectory}/journal 2>/dev/null
printf 'exit 0\\n' >&3
leave
`;
};
