"""`python -m siems.daemon`."""

import sys

from siems.daemon.main import main

sys.exit(main())
