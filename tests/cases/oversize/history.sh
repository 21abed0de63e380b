mkdir -p billing web
echo "# Ledger" > billing/notes.md
git add -A && git commit -qm "Start"
for part in invoices payments refunds; do
    for number in $(seq 1 900); do
        echo "record $part $number is checked against the statement of the month"
    done > billing/$part.txt
done
echo "page" > web/index.html
git add -A && git commit -qm "Add the records of a year"
