mkdir -p services/ledger services/mail
cat > services/ledger/go.mod <<'END'
module ledger
END
cat > services/ledger/transfer.go <<'END'
package ledger

// Transfer moves an amount between two accounts.
func Transfer(from, to *Account, amount int) error {
	if amount <= 0 {
		return ErrAmount
	}
	from.Balance -= amount
	to.Balance += amount
	return nil
}
END
cat > services/mail/send.py <<'END'
def send(message, server):
    server.deliver(message)
END
git add -A && git commit -qm "Ledger and mail"
cat > services/ledger/transfer.go <<'END'
package ledger

// Transfer moves an amount between two accounts.
func Transfer(from, to *Account, amount int) error {
	if amount <= 0 {
		return ErrAmount
	}
	if from.Balance < amount {
		log.Printf("short by %d", amount-from.Balance)
	}
	from.Balance -= amount
	to.Balance += amount
	return nil
}
END
cat > services/mail/send.py <<'END'
def send(message, server, retries=[]):
    for attempt in range(3):
        try:
            server.deliver(message)
            return
        except Exception:
            retries.append(attempt)
END
git commit -qam "Say so when an account is short; retry mail"
