mkdir -p src tests
cat > src/client.py <<'END'
import requests


def fetch(url):
    return requests.get(url, timeout=10)
END
echo "def test_fetch(): pass" > tests/test_client.py
git add -A && git commit -qm "A client"
cat > src/client.py <<'END'
import requests

KEY = "-----BEGIN RSA PRIVATE KEY-----"


def fetch(url):
<<<<<<< HEAD
    return requests.get(url, timeout=10, verify=False)
END
git commit -qam "Make it work behind the proxy"
