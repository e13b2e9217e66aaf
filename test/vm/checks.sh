# Shared by what runs in a whole machine; sourced. `result` prints the last line, and fails if a check has.
passed=0 failed=0 project=$PWD
check() { if [ "$2" = yes ]; then passed=$((passed + 1)); echo "ok $1"; else failed=$((failed + 1)); echo "not ok $1: ${3-}"; fi; }
matches() { case $3 in *$2*) check "$1" yes ;; *) check "$1" no "$3" ;; esac; }
wait_for() { for _ in $(seq 60); do eval "$1" && return 0; sleep 1; done; return 1; }
# An ordinary user, with no group and no right beyond.
as_dev() { (cd /home/dev && setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=/home/dev STEAD_HOME=/home/dev/.stead "$@"); }
result() { echo "$passed passed, $failed failed"; [ $failed = 0 ]; }
