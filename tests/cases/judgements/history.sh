mkdir -p ledger
cat > ledger/transfer.go <<'END'
package ledger

func Transfer(from, to *Account, amount int) error {
	from.Balance -= amount
	to.Balance += amount
	return nil
}
END
git add -A && git commit -qm "Ledger"
cat > ledger/transfer.go <<'END'
package ledger

func Transfer(from, to *Account, amount int) error {
	if amount <= 0 {
		return ErrAmount
	}
	from.Balance -= amount
	to.Balance += amount
	audit(from, to, amount)
	return nil
}

func Close(account *Account) {
	account.Owner = nil
	bank.Remove(account)
}
END
git commit -qam "Refuse odd amounts, keep an audit, close accounts"
