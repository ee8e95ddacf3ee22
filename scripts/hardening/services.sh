#!/usr/bin/env bash
# Boots a Debian root with the real systemd, and then one with the real OpenRC, each in name spaces of
# its own, and lives through an operator's week there: start on port 80 without root, a new version, a
# bad one, a crash, the way back, stop.
#   scripts/hardening/services.sh BINARY      a static one; needs root and debootstrap
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=${SERVICE_ROOT:-$PWD/target/service-root}
fail() { printf 'services: %s\n' "$*" >&2; exit 1; }
well() { printf 'services: %s\n' "$*"; }
[ "$(id -u)" = 0 ] || fail "needs root"

if [ "${1:-}" = inside ]; then
  shift
  mount --make-rprivate /
  mount --bind "$root" "$root"
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/run"
  mount -t tmpfs tmpfs "$root/tmp"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  ip link set lo up
  case $1 in
    systemd)
      # One hierarchy of control groups, as hosts have it: with the old ones a stop is not waited for.
      mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
      exec chroot "$root" env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
      ;;
    openrc)
      mkdir -p "$root/run/openrc" "$root/run/lock"
      chroot "$root" openrc default >/dev/null 2>&1
      touch "$root/run/is-up"
      exec sleep infinity
      ;;
  esac
fi

binary=$(realpath "${1:?a static binary, as scripts/build-static makes it}")
for tool in debootstrap unshare nsenter ip; do
  command -v "$tool" >/dev/null || fail "$tool is missing"
done
if [ ! -e "$root/made" ]; then
  rm -rf "$root"
  mkdir -p "$root"
  debootstrap --variant=minbase --include=systemd,systemd-sysv,libcap2-bin,procps,openrc bookworm "$root" >"$root.log" 2>&1 ||
    fail "debootstrap: $(tail -3 "$root.log")"
  chroot "$root" useradd --system --home-dir /var/lib/chat-posta --shell /usr/sbin/nologin chat-posta
  for unit in getty.target systemd-udevd.service systemd-timesyncd.service console-getty.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
  ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
  printf '#!/sbin/openrc-run\ndepend() { provide net; }\nstart() { return 0; }\n' >"$root/etc/init.d/lo"
  chmod 755 "$root/etc/init.d/lo"
  chroot "$root" rc-update add lo default >/dev/null
  echo 'rc_sys="lxc"' >>"$root/etc/rc.conf"
  touch "$root/made"
fi

pid=
down() {
  [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
  wait 2>/dev/null || true
  pid=
}
trap down EXIT
# Boots, and leaves in `pid` the process that is the first one there.
up() {
  local init=$1
  unshare --mount --pid --uts --ipc --cgroup --net --fork "$0" inside "$init" 2>/dev/null &
  pid=
  for _ in $(seq 100); do
    pid=$(pgrep -P "$!" || true)
    if [ -n "$pid" ] && there true 2>/dev/null; then break; fi
    sleep 0.1
  done
  [ -n "$pid" ] || fail "$init does not start"
  [ "$init" = systemd ] && return
  for _ in $(seq 100); do if there test -e /run/is-up; then return; fi; sleep 0.1; done
  fail "$init does not come up"
}
there() { nsenter -t "$pid" -m -p -u -i -n -C chroot "$root" env "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$@"; }
health() { there chat-posta healthcheck 2>/dev/null || true; }
process() { health | sed -n 's/.*, process \([0-9]*\).*/\1/p'; }
until_well() {
  for _ in $(seq 150); do if [ -n "$(process)" ] && [ "$(process)" != "${1:-}" ]; then return; fi; sleep 0.1; done
  fail "it does not get well: $(health)"
}
deploy() { there bash /root/deploy "$@" local 2>&1; }

rm -rf "$root/var/lib/chat-posta" "$root/var/log/chat-posta.log" "$root"/usr/local/bin/chat-posta*
install -m 755 "$binary" "$root/usr/local/bin/chat-posta"
install -m 755 "$binary" "$root/root/new"
install -m 755 scripts/deploy "$root/root/deploy"
printf '#!/bin/sh\n[ "$1" = serve ] && exit 7\nexec /root/new "$@"\n' >"$root/root/bad"
chmod 755 "$root/root" "$root/root/bad"
install -m 644 scripts/service/chat-posta.service "$root/etc/systemd/system/chat-posta.service"
install -m 755 scripts/service/chat-posta.openrc "$root/etc/init.d/chat-posta"
rm -f "$root/etc/systemd/system/multi-user.target.wants/chat-posta.service"

# An operator's week, the same under both.
week() {
  local name=$1 first second told
  until_well
  first=$(process)
  told=$(there grep -E '^(Uid|CapEff)' "/proc/$first/status" | tr -s '\t\n' '  ')
  grep -q 'CapEff: 0000000000000400 ' <<<"$told" && ! grep -q 'Uid: 0' <<<"$told" || fail "$name: it runs as $told"
  told=$(deploy --binary /root/new) || fail "$name: a good version: $told"
  second=$(process)
  [ -n "$second" ] && [ "$second" != "$first" ] || fail "$name: nobody took over: $told"
  if told=$(deploy --binary /root/bad); then fail "$name: a bad version was taken: $told"; fi
  grep -q 'the running process goes on, nobody noticed' <<<"$told" || fail "$name: a bad version: $told"
  [ "$(process)" = "$second" ] || fail "$name: a bad version: another process answers"
  there getcap /usr/local/bin/chat-posta | grep -q cap_net_bind_service || fail "$name: no capability is left"
  there kill -9 "$second"
  until_well "$second"
  first=$(process)
  told=$(deploy --rollback) || fail "$name: the way back: $told"
  [ "$(process)" != "$first" ] || fail "$name: the way back: nobody took over"
  well "$name: port 80 without root, a version that took over, a bad one that nobody noticed, a crash, the way back"
}

mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf /etc/systemd/system/chat-posta.service "$root/etc/systemd/system/multi-user.target.wants/chat-posta.service"
up systemd
week systemd
told=$(there systemctl show -p NRestarts --value chat-posta)
[ "$told" = 1 ] || fail "systemd restarted it $told times, and it crashed once"
told=$(there sh -c 'grep -E "^(NoNewPrivs|Seccomp):" "/proc/$(systemctl show -p MainPID --value chat-posta)/status"')
grep -q 'NoNewPrivs:.1' <<<"$told" && grep -q 'Seccomp:.2' <<<"$told" || fail "systemd: not confined: $told"
there systemctl stop chat-posta
[ "$(there systemctl show -p Result --value chat-posta)" = success ] ||
  fail "systemd: it did not stop well: $(there journalctl --no-pager -n 30 -u chat-posta | grep -v key=)"
down

rm -rf "$root/var/lib/chat-posta"
up openrc
there setcap cap_net_bind_service=+ep /usr/local/bin/chat-posta
there rc-service chat-posta start >"$root.log" 2>&1 || fail "OpenRC: $(cat "$root.log")"
week OpenRC
there rc-service chat-posta stop >"$root.log" 2>&1 || fail "OpenRC: $(cat "$root.log")"
[ -z "$(there pidof chat-posta || true)" ] || fail "OpenRC: something is left of it"
tail -1 "$root/var/log/chat-posta.log" | grep -q stopped || fail "OpenRC: it was cut off"
well "both: all is well"
