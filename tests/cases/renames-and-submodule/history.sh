mkdir -p "old place" lib
for number in $(seq 1 30); do echo "line $number"; done > "old place/parts list.txt"
printf 'one\r\ntwo\r\n' > lib/dos.txt
printf '\0\1' > lib/logo.png
echo run > lib/run.sh
git add -A && git commit -qm "First"
git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),dep && git commit -qm "A submodule"
mkdir new
git mv "old place/parts list.txt" new/parts.txt
sed -i 's/line 7$/line seven/' new/parts.txt
printf 'one\r\n2\r\n' > lib/dos.txt
printf '\0\2' > lib/logo.png
git update-index --chmod=+x lib/run.sh
printf 'x' > "new/say \"hi\".txt"
git add new lib/dos.txt lib/logo.png
git update-index --cacheinfo 160000,$(git rev-parse HEAD),dep
git commit -qm "Move the parts list"
