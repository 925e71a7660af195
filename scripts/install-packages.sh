#!/bin/sh
# Installs Debian's package for each program that is missing. Programs that are there, however they came, stay as they
# are. Names of programs can be given; without any, everything that the tests need.
#
#   scripts/install-packages.sh [dockerd docker-registry chromium ...]
#
# Ends with 0 when nothing is missing (any more), and with 3 and one sentence when this machine does not allow it.
set -eu

PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
all='dockerd containerd docker docker-registry htpasswd chromium docker-compose busybox iptables ip openssl mount umount'

package_of() {
  case "$1" in
    dockerd) echo docker.io ;;
    containerd) echo containerd ;;
    docker) echo docker.io ;;
    docker-registry) echo docker-registry ;;
    htpasswd) echo apache2-utils ;;
    chromium) echo chromium ;;
    docker-compose) echo docker-compose ;;
    busybox) echo busybox-static ;;
    iptables) echo iptables ;;
    ip) echo iproute2 ;;
    openssl) echo openssl ;;
    mount) echo mount ;;
    umount) echo mount ;;
    *) echo "install-packages.sh: no package is known for the program \"$1\"." >&2; exit 2 ;;
  esac
}

is_there() {
  # The busybox of Debian's minimal images is linked dynamically and cannot run in an empty image.
  [ "$1" != busybox ] || { [ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1; } || return 1
  command -v "$1" >/dev/null 2>&1
}

packages=
missing=
for program in ${*:-$all}; do
  package=$(package_of "$program")
  is_there "$program" && continue
  missing="$missing $program"
  case " $packages " in *" $package "*) ;; *) packages="$packages $package" ;; esac
done
[ -n "$packages" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1 || ! [ -f /etc/debian_version ]; then
  echo "This is not Debian, so nothing is installed. Missing programs:$missing." >&2
  exit 3
fi
if [ "$(id -u)" != 0 ]; then
  echo "Not root, so nothing is installed. Missing programs:$missing. As root run: apt-get install$packages" >&2
  exit 3
fi

echo "Installing Debian packages:$packages"
export DEBIAN_FRONTEND=noninteractive
# The programs are run on private directories; the services that come with their packages are not started.
if ! [ -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  trap 'exit 130' INT TERM
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
fi
apt-get update -qq
# Newer releases have the docker command line in a package of its own.
case " $packages " in
  *" docker.io "*) if apt-cache show docker-cli >/dev/null 2>&1; then packages="$packages docker-cli"; fi ;;
esac
# shellcheck disable=SC2086 # a list of names
apt-get install -y -qq --no-install-recommends $packages </dev/null

for program in $missing; do
  command -v "$program" >/dev/null 2>&1 && continue
  echo "The package $(package_of "$program") is installed, but the program $program is still missing." >&2
  exit 3
done
