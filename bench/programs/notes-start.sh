# Notes when it starts and as which process, and lives.
echo "start $(date +%s%N) $$" >>"$1"
exec sleep 100000
