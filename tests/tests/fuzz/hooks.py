"""What the configuration of schemathesis cannot say."""

import itertools
import re

import schemathesis

numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes most Idempotency-Keys unique: mostly the shortest is made up, and another request with it is refused before it is read."""
    key = (case.headers or {}).get("Idempotency-Key")
    number = next(numbers)
    if isinstance(key, str) and re.fullmatch("[ -~]{1,200}", key) and number % 8:
        case.headers["Idempotency-Key"] = f"{key}-{number}"
