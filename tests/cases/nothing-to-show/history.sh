echo 'version = 4' > Cargo.lock
git add -A && git commit -qm "Lock"
echo 'version = 5' > Cargo.lock
git commit -qam "Update dependencies"
