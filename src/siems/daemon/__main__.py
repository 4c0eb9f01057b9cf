"""`python -m siems.daemon`."""

import sys

from siems.daemon.lean import without

# httpx has a command line and structlog paints tracebacks, where these are installed: 5 MB that a daemon never uses
with without("click", "pygments", "rich"):
    import httpx  # noqa: F401
    import structlog  # noqa: F401

from siems.daemon.main import main

sys.exit(main())
