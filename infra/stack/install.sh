#!/usr/bin/env bash
# Installs what the local stack needs, under `.local/` but for what mail needs: install.sh COMPONENT...
#
#   emulator  MiniStack in .local/venv-emulator (it pins botocore, hence a virtual environment of its own)
#   tools     sam, cfn-lint and cargo-lambda (with zig) in .local/venv-tools
#   fuzz      schemathesis in .local/venv-fuzz
#   fuzz-parsers  cargo-fuzz in .local/cargo, unless the machine has it
#   mail      dovecot and postfix: Debian's packages unpacked into .local/debian, never installed. Outside of the checkout:
#             the system users aw-mail and aw-post and the group aw-drop, since both servers insist on users of their own;
#             and, where those cannot enter the checkout, a directory in /var/lib/agentwarm instead of .local/debian (env.sh).
#             Where apt cannot download them by the lists that the machine has, `apt-get update` renews those
#   deny      cargo-deny and cargo-nextest in .local/cargo, unless the machine has them
#   all       all of these
#
# Leaves a stamp with the version in .local/stamps, so a second run does nothing. `userdel aw-mail; userdel aw-post; groupdel
# aw-drop` and `rm -r .local /var/lib/agentwarm` undo it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

readonly MINISTACK=1.5.33 SCHEMATHESIS=4.32.5 SAM=1.170.0 CFN_LINT=1.58.0 CARGO_LAMBDA=1.9.2 CARGO_DENY=0.20.2 CARGO_NEXTEST=0.9.143 CARGO_FUZZ=0.13.2
# Raise when what install_mail leaves behind changes: every checkout then unpacks anew.
readonly MAIL_RECIPE=2
readonly MAIL_PACKAGES=(dovecot-core dovecot-imapd dovecot-lmtpd dovecot-sieve postfix openssl)

# ---------------------------------------------------------------- stamps

has_stamp() { [[ -f $AW_STAMPS/$1 && $(<"$AW_STAMPS/$1") == "$2" ]]; }

set_stamp() { mkdir -p "$AW_STAMPS"; printf '%s\n' "$2" >"$AW_STAMPS/$1"; }

# once COMPONENT VERSION TEST-FILE FUNCTION: runs FUNCTION unless this version of the component is already there.
once() {
  if has_stamp "$1" "$2" && [[ -e $3 ]]; then return; fi
  say "installing $1 ($2)"
  rm -f "$AW_STAMPS/$1"
  "$4"
  set_stamp "$1" "$2"
}

# ---------------------------------------------------------------- Python tools

python_command() {
  local python=${AGENTWARM_PYTHON:-python3}
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
    || die "Python 3.10 or newer is needed: install python3, or name one with AGENTWARM_PYTHON=/path/to/python3"
  printf '%s' "$python"
}

# make_venv DIRECTORY: a virtual environment with pip. Debian's bare python3 has no ensurepip; pip then comes from Debian's
# package of the wheel, which runs without being installed.
make_venv() {
  local python
  python=$(python_command)
  rm -rf "$1"
  if "$python" -c 'import ensurepip, venv' 2>/dev/null && "$python" -m venv "$1" 2>/dev/null; then return; fi
  rm -rf "$1"
  "$python" -m venv --without-pip "$1" || die "$python cannot make virtual environments: install its venv module (Debian: python3-venv)"
  if ! pip_wheel >/dev/null; then unpack_debian "$AW_LOCAL/pip" python3-pip-whl; fi
  PYTHONPATH=$(pip_wheel) "$1/bin/python" -m pip install --quiet --disable-pip-version-check pip \
    || die "pip could not install itself into $1: check the connection to the package index and run this again"
}

# The path of a wheel of pip, from the machine or as unpacked by us.
pip_wheel() {
  compgen -G "/usr/share/python-wheels/pip-*.whl" || compgen -G "$AW_LOCAL/pip/usr/share/python-wheels/pip-*.whl"
}

# pip_install VENV CONSTRAINTS REQUIREMENT...
pip_install() {
  local venv=$1 constraints=$2; shift 2
  make_venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$constraints" "$@" \
    || die "pip could not install $*: check the connection to the package index and run this again"
}

install_emulator() { pip_install "$AW_VENV_EMULATOR" "$AW_STACK_SCRIPTS/constraints-emulator.txt" "ministack[full]==$MINISTACK"; }

install_tools() {
  pip_install "$AW_VENV_TOOLS" "$AW_STACK_SCRIPTS/constraints-tools.txt" \
    "aws-sam-cli==$SAM" "cfn-lint==$CFN_LINT" "cargo-lambda==$CARGO_LAMBDA"
}

install_fuzz() {
  pip_install "$AW_VENV_FUZZ" "$AW_STACK_SCRIPTS/constraints-fuzz.txt" "schemathesis==$SCHEMATHESIS"
}

# ---------------------------------------------------------------- Debian packages, unpacked

# apt_download DIRECTORY STATUS-FILE PACKAGE...: fetches the packages and those of their dependencies that STATUS-FILE lacks.
apt_download() {
  local archives=$1 status=$2; shift 2
  mkdir -p "$archives/partial"
  apt-get install --yes --quiet=2 --no-install-recommends --download-only \
    -o Dir::State::status="$status" -o Dir::Cache::archives="$archives" \
    -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@" >/dev/null
}

# unpack_debian DIRECTORY PACKAGE...: unpacks packages with whatever they need that the machine lacks. apt works out the
# dependencies against a copy of dpkg's status in which mail servers are absent, so that a machine that has some gets the same
# files; with --download-only it runs no package's scripts and touches no service.
unpack_debian() {
  local target=$1 work package; shift
  command -v apt-get >/dev/null || die "the mail servers come from Debian's packages and this machine has no apt-get: use Debian 12"
  rm -rf "$target"
  mkdir -p "$target"
  work=$(mktemp -d "$target/.unpack-XXXXXX")
  awk 'BEGIN { RS = ""; ORS = "\n\n" } !/^Package: (dovecot|postfix|exim|sendmail|courier|citadel)/' /var/lib/dpkg/status >"$work/status"
  if ! apt_download "$work/archives" "$work/status" "$@" 2>/dev/null; then
    say "updating the lists of Debian packages"
    apt-get update --quiet=2 || die "apt-get update failed: check the package sources in /etc/apt and run this again"
    apt_download "$work/archives" "$work/status" "$@" \
      || die "apt-get could not download $*: see its message above; \`apt-get update\` may help"
  fi
  for package in "$work"/archives/*.deb; do dpkg-deb --extract "$package" "$target"; done
  rm -rf "$work"
}

create_mail_users() {
  getent group aw-drop >/dev/null || groupadd --system aw-drop
  local user
  for user in aw-mail aw-post; do
    getent passwd "$user" >/dev/null \
      || useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
  done
}

install_mail() {
  require_root
  command -v cc >/dev/null || die "a C compiler is needed (Rust links with it too): apt-get install gcc"
  create_mail_users
  unpack_debian "$AW_DEBIAN" "${MAIL_PACKAGES[@]}"
  cc -shared -fPIC -O2 -Wall -Werror -DUNPACKED="\"$AW_DEBIAN\"" \
    -o "$AW_DEBIAN/dovecot-prefix.so" "$AW_STACK_SCRIPTS/dovecot-prefix.c" -ldl
  check_mail_programs
}

# The configuration is written for dovecot 2.3; 2.4 changed its language.
check_mail_programs() {
  local libraries version
  libraries=$(mail_library_path)
  version=$(LD_LIBRARY_PATH=$libraries "$AW_DEBIAN/usr/sbin/dovecot" --version) \
    || die "the unpacked dovecot does not run: remove $AW_DEBIAN and run this again"
  [[ $version == 2.3.* ]] || die "this system's packages bring dovecot $version, but 2.3 is needed: use Debian 12 (bookworm)"
  LD_LIBRARY_PATH=$libraries "$AW_DEBIAN/usr/sbin/postconf" -d mail_version >/dev/null 2>&1 \
    || die "the unpacked postfix does not run: remove $AW_DEBIAN and run this again"
}

# ---------------------------------------------------------------- cargo tools

# cargo_tool NAME VERSION: builds the tool unless the machine already has one.
cargo_tool() {
  if command -v "$1" >/dev/null; then return; fi
  say "building $1 $2 (a few minutes, once)"
  command -v cargo >/dev/null || die "cargo is missing: install Rust (https://rustup.rs)"
  CARGO_TARGET_DIR=$AW_LOCAL/cargo-build cargo install --quiet --locked --root "$AW_CARGO_ROOT" "$1@$2" \
    || die "$1 $2 could not be built: see cargo's message above"
  rm -rf "$AW_LOCAL/cargo-build"
}

# ---------------------------------------------------------------- command line

install_component() {
  case $1 in
    emulator) once emulator "ministack $MINISTACK" "$AW_VENV_EMULATOR/bin/ministack" install_emulator ;;
    tools) once tools "sam $SAM, cfn-lint $CFN_LINT, cargo-lambda $CARGO_LAMBDA" "$AW_VENV_TOOLS/bin/sam" install_tools ;;
    fuzz) once fuzz "schemathesis $SCHEMATHESIS" "$AW_VENV_FUZZ/bin/schemathesis" install_fuzz ;;
    mail) once mail "recipe $MAIL_RECIPE in $AW_DEBIAN" "$AW_DEBIAN/dovecot-prefix.so" install_mail
          create_mail_users ;;
    fuzz-parsers) command -v c++ >/dev/null || die "a C++ compiler is needed for libFuzzer: apt-get install g++"
          cargo_tool cargo-fuzz "$CARGO_FUZZ" ;;
    deny) cargo_tool cargo-deny "$CARGO_DENY"
          cargo_tool cargo-nextest "$CARGO_NEXTEST" ;;
    all) local component
         # What most targets need comes first: whoever lacks what a later one asks of the machine has these.
         for component in tools emulator deny mail fuzz fuzz-parsers; do install_component "$component"; done ;;
    *) die "there is no component '$1': choose from emulator, tools, fuzz, fuzz-parsers, mail, deny, all" ;;
  esac
}

main() {
  (( $# > 0 )) || die "say what to install: emulator, tools, fuzz, fuzz-parsers, mail, deny or all"
  # Two `make` at once must not install over each other.
  exec 9>"$AW_LOCAL/install.lock"
  flock 9
  local component
  for component in "$@"; do install_component "$component"; done
}

main "$@"
