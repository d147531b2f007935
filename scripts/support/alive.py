"""Exit 0 when the service in this container answers at all, 1 otherwise.

alive.py [PATH]    PATH is /health unless named; /health/ready asks for the database, too
"""

import os
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

path = sys.argv[1] if len(sys.argv) > 1 else "/health"
url = f"http://127.0.0.1:{os.environ.get('PORT') or 8000}{path}"
# As nginx would ask: by a name that is known, and as if it had come by TLS.
name = (os.environ.get("ALLOWED_HOSTS") or "localhost").split(",")[0].strip().lstrip(".*") or "localhost"
try:
    urlopen(Request(url, headers={"Host": name, "X-Forwarded-Proto": "https"}), timeout=4).close()
except HTTPError as answer:
    sys.exit(answer.code >= 500)
except OSError as error:
    sys.exit(str(error))
