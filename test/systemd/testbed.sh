#!/bin/bash
# testbed.sh STATE REPOSITORY NODE [USER]
#
# A machine for tests: a real systemd as process 1 of namespaces of its own, up in half a second. Says `ready PID`, the pid of that systemd as it is called out
# here, once it runs, and keeps it until stdin ends; then nothing of it is left. Commands go in by nsenter (test/support/systemd.ts).
#
# STATE is a folder of the caller's: what lies in home/, root/, system/ (/etc/systemd/system) and var/ of it is there again at the next boot, and its boot-id names
# the boot. All else is read-only or in memory, the machine's own /tmp and /run out of sight: systemd empties those at boot. With USER (4242, made up)
# there is a `systemd --user` of that user's. There is a system bus, and no logind, journald, udev or network but lo.
# Needs root, cgroup v2, util-linux, and Debian's systemd and dbus; exit code 77 says what is missing.
set -euo pipefail
state=$1 repository=$2 node=$(readlink -f "$3") user=${4:-}

inside() {
  mount --make-rprivate /
  mount -t tmpfs tmpfs /mnt
  mkdir /mnt/repository /mnt/node /mnt/state
  mount --bind "$repository" /mnt/repository
  mount --bind "$(dirname "$node")" /mnt/node
  mount --bind "$state" /mnt/state
  # Nothing of the machine's can be changed.
  umount -R /sys/fs/cgroup 2>/dev/null || true
  while read -r _ _ _ _ point _; do
    case $point in /proc* | /sys* | /dev* | /mnt*) ;; *) mount -o remount,bind,ro "$point" 2>/dev/null || true ;; esac
  done </proc/self/mountinfo
  mount -t tmpfs -o mode=1777 tmpfs /tmp
  # Small: a test fills it.
  mount -t tmpfs -o mode=0755,size=64m tmpfs /run
  for pair in root:/root home:/home system:/etc/systemd/system; do mount --bind "/mnt/state/${pair%%:*}" "${pair#*:}"; done
  mount -t overlay -o lowerdir=/var,upperdir=/mnt/state/var,workdir=/mnt/state/work overlay /var
  for pair in "repository:$repository" "node:$(dirname "$node")"; do
    [[ -e ${pair#*:} ]] || { mkdir -p "${pair#*:}" && mount --bind "/mnt/${pair%%:*}" "${pair#*:}"; }
  done
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  mount --bind /mnt/state/boot-id /proc/sys/kernel/random/boot_id
  # Before systemd runs: is it really apart?
  for place in /tmp /run; do [[ $(stat -f -c %T $place) == tmpfs ]] || { echo "$place is the machine's own" >&2; exit 1; }; done
  [[ ! -w /usr ]] || ! touch /usr/.testbed 2>/dev/null || { echo "/usr can be written" >&2; exit 1; }
  [[ $(grep -c . /sys/fs/cgroup/cgroup.procs) -gt 0 ]] || { echo "not at the root of its cgroups" >&2; exit 1; }
  mkdir -p /run/systemd/system /run/dbus
  units
  exec env -i container=testbed PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=multi-user.target --log-target=console --log-level=warning --show-status=no
}

# What a machine starts that this one has no use for is masked; then its user.
units() {
  local runtime=/run/systemd/system name
  for name in /lib/systemd/system/{sysinit,basic,sockets,timers,paths,local-fs,multi-user,graphical}.target.wants/*; do
    case ${name##*/} in *.service | *.socket | *.timer | *.path | *.mount | *.automount) masked "${name##*/}" ;; esac
  done
  for name in getty.target systemd-remount-fs.service systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket \
    systemd-logind.service systemd-tmpfiles-setup.service systemd-udevd.service; do masked $name; done
  rm -f /run/systemd/system.control/dbus.{service,socket}
  # systemd comes to the bus only where it holds the bus's socket.
  printf '[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/dbus/system_bus_socket\n' >$runtime/dbus.socket
  printf '%s\n' '[Unit]' DefaultDependencies=no Requires=dbus.socket After=dbus.socket '[Service]' Type=notify \
    'ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation' >$runtime/dbus.service
  mkdir -p $runtime/multi-user.target.wants
  ln -s ../dbus.service $runtime/multi-user.target.wants/
  [[ -n $user ]] || return 0
  cp /etc/passwd /mnt/passwd && cp /etc/group /mnt/group
  echo "$user:x:4242:4242::/home/$user:/bin/sh" >>/mnt/passwd
  echo "$user:x:4242:" >>/mnt/group
  mount --bind /mnt/passwd /etc/passwd && mount --bind /mnt/group /etc/group
  mkdir -p "/home/$user" /run/user/4242
  chown 4242:4242 "/home/$user" /run/user/4242
  chmod 700 /run/user/4242
  printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]' User=4242 Environment=XDG_RUNTIME_DIR=/run/user/4242 \
    'ExecStart=/usr/bin/dbus-daemon --session --address=unix:path=/run/user/4242/bus --nofork --nopidfile' >$runtime/user-bus.service
  # As systemd's own user@.service has it, without PAM.
  printf '%s\n' '[Unit]' DefaultDependencies=no Requires=user-bus.service After=user-bus.service '[Service]' User=4242 Type=notify Delegate=yes \
    KillMode=mixed "Environment=HOME=/home/$user XDG_RUNTIME_DIR=/run/user/4242 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/4242/bus" \
    'ExecStart=/lib/systemd/systemd --user' >$runtime/user@4242.service
  for name in user-bus.service user@4242.service; do ln -s ../$name $runtime/multi-user.target.wants/; done
}

masked() { mkdir -p /run/systemd/system.control && ln -sf /dev/null "/run/systemd/system.control/$1"; }

if [[ ${TESTBED_INSIDE:-} == yes ]]; then inside; fi

lacks() { echo "$*" >&2; exit 77; }
[[ $EUID == 0 ]] || lacks 'not root'
for file in /lib/systemd/systemd /usr/bin/dbus-daemon /usr/bin/nsenter; do [[ -x $file ]] || lacks "no $file"; done
tree=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/mounts)
group=$tree/testbed-$$
[[ -n $tree ]] && mkdir "$group" 2>/dev/null || lacks 'no cgroup v2 that can be written'

mkdir -p "$state"/{home,root,system,var,work}
cat /proc/sys/kernel/random/uuid >"$state/boot-id"

end() {
  echo 1 >"$group/cgroup.kill" 2>/dev/null || true
  for _ in $(seq 100); do grep -q 'populated 0' "$group/cgroup.events" && break; sleep 0.02; done
  find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
}
trap end EXIT
trap 'exit 1' TERM INT HUP

(
  echo "$BASHPID" >"$group/cgroup.procs"
  TESTBED_INSIDE=yes exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc --mount-proc bash "$0" "$@" <&-
) >"$state/boot.log" 2>&1 &
booting=$!
disown

# process 1 in there, as it is called here
first() {
  local pid
  for pid in $(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null); do
    [[ $(awk '/^NSpid:/ {print NF ":" $3}' "/proc/$pid/status" 2>/dev/null) == 3:1 && $(cat "/proc/$pid/comm") == systemd ]] && echo "$pid" && return
  done
  return 0
}

for _ in $(seq 400); do
  pid=$(first)
  [[ -n $pid ]] && [[ $(nsenter -t "$pid" -m -p systemctl is-system-running 2>/dev/null || true) =~ ^(running|degraded)$ ]] && break
  kill -0 "$booting" 2>/dev/null || break
  pid=
  sleep 0.03
done
[[ -n $pid ]] || { cat "$state/boot.log" >&2; exit 1; }
echo "ready $pid"
cat >/dev/null
