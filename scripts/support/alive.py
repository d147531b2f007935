"""Exit 0 when the service in this container answers at all, 1 otherwise."""

import os
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

try:
    urlopen(f"http://127.0.0.1:{os.environ.get('PORT') or 8000}/health", timeout=4).close()
except HTTPError as answer:
    # A refusal of this Host is a sign of life too, where ALLOWED_HOSTS does not name 127.0.0.1.
    sys.exit(answer.code >= 500)
except OSError as error:
    sys.exit(str(error))
