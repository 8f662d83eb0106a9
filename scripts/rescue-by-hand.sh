#!/bin/sh
# The commands of `rescuekit rescue IMAGE --exec true`, written down by hand: what the tool is
# measured against. The image is the default layout of fixtures/disk-image.ts.
set -eu
image=$1
work=$2
root=$work/root
units=$work/units

mkdir -p "$root" "$units/rescue.target.d" "$units/rescue.service.d"
printf '[Unit]\nWants=hand.service\n' >"$units/rescue.target.d/hand.conf"
printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStartPre=\nExecStart=\nExecStart=-/bin/sh -c :\nStandardInput=null\n' \
	>"$units/rescue.service.d/hand.conf"
cat >"$units/hand.service" <<'UNIT'
[Unit]
DefaultDependencies=no
After=rescue.target
[Service]
Type=oneshot
StandardInput=null
ExecStart=/bin/true
ExecStopPost=-/bin/systemctl --no-block --force poweroff
UNIT

loop=$(losetup --find --show "$image")
partx --add "$loop"
for number in 3 4; do e2fsck -f -n "${loop}p$number"; done
fsck.fat -n "${loop}p2"
mount -o nodev "${loop}p4" "$root"
mount -o nodev "${loop}p3" "$root/boot"
systemd-nspawn --quiet --directory="$root" --machine="hand-$$" --register=no --keep-unit \
	--resolv-conf=off --timezone=off --link-journal=no --private-network --console=read-only \
	--bind-ro="$units/rescue.target.d:/run/systemd/system/rescue.target.d" \
	--bind-ro="$units/rescue.service.d:/run/systemd/system/rescue.service.d" \
	--bind-ro="$units/hand.service:/run/systemd/system/hand.service" \
	--boot -- --unit=rescue.target
umount "$root/boot"
umount "$root"
partx --delete "$loop"
losetup --detach "$loop"
