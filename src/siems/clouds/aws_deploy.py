"""`python -m siems.clouds.aws_deploy`: a stack with the credentials of whoever runs it, which nobody else sees.

Standard input is one JSON object: `account`, `region`, `template`. The answer is one, too; an error is one on
standard error.
"""

from __future__ import annotations

import json
import sys

from siems.clouds.aws_account import caller, deploy
from siems.config import Aws
from siems.errors import Conflict, SiemsError


def main() -> int:
    ask = json.load(sys.stdin)
    settings = Aws(regions=ask["region"])
    try:
        arn = caller(settings)
        if arn.split(":")[4] != ask["account"]:
            raise Conflict(
                f"these credentials are for {arn}, which is not the account {ask['account']}",
                hint="AWS_PROFILE=... names others; nothing was deployed",
            )
        done = deploy(settings, ask["region"], ask["template"])
    except SiemsError as why:
        said = {"code": why.code, "exit": why.exit, "message": why.message, "hint": why.hint}
        print(json.dumps({"error": said}), file=sys.stderr)
        return why.exit
    print(json.dumps({"stack": done, "as": arn}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
