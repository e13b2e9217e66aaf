# For each line "FILE NOTE" of the FIFO $1: prints the file, and notes in NOTE when that began and ended, in microseconds.
echo ready
while read -r file note; do
  began=${EPOCHREALTIME/./}
  cat "$file"
  echo "$began ${EPOCHREALTIME/./}" >"$note.new"
  mv "$note.new" "$note"
done <>"$1"
