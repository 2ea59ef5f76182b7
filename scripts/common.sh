# Shared by the scripts of this folder: where the checkout is, messages, one run at a time, how many jobs fit.
# Sourced, not run. Sets `root` (the checkout) and `build` (the release build directory).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build="$root/build"

say() { printf '== %s\n' "$*"; }
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# One script at a time per checkout; a second one waits, then finds the work done. The lock ends with the process.
lock_checkout() {
    if [ "${LIMRISK_LOCKED:-}" = "$root" ]; then return; fi
    exec 9<"$root/scripts/common.sh"
    if ! flock --nonblock 9; then
        say "another script works in $root: waiting for it to finish"
        flock 9 || say "no lock to be had on this file system: going on without"
    fi
    export LIMRISK_LOCKED="$root"
}

# Compiler jobs that fit: processors of this process, and 1.5 GiB of available memory for each.
jobs_that_fit() {
    local processors kibibytes limit fit
    processors=$(nproc)
    kibibytes=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null || true)
    limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || true)
    if [[ "$limit" =~ ^[0-9]{1,18}$ ]] && ((limit / 1024 < ${kibibytes:-0})); then kibibytes=$((limit / 1024)); fi
    if [ -z "$kibibytes" ]; then
        echo 1
        return
    fi
    fit=$((kibibytes / 1572864))
    if ((fit < 1)); then fit=1; fi
    echo $((fit < processors ? fit : processors))
}

# Value of an entry in the build directory's cache, empty if there is none: cached NAME
cached() {
    if [ -f "$build/CMakeCache.txt" ]; then sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; fi
}
