"""What the configuration of schemathesis cannot say."""

import itertools
import re

import schemathesis
from schemathesis.generation.meta import TestPhase

numbers = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes most Idempotency-Keys unique: mostly the shortest is made up, and another request with it is refused before it is read."""
    key = (case.headers or {}).get("Idempotency-Key")
    number = next(numbers)
    if isinstance(key, str) and re.fullmatch("[ -~]{1,200}", key) and number % 8:
        case.headers["Idempotency-Key"] = f"{key}-{number}"


@schemathesis.hook
def map_case(context, case):
    """In scenarios, makes accounts that are taken: what is made up mostly is not, and most links of the document begin with one."""
    meta = case.meta
    if (
        meta is not None
        and meta.phase.name == TestPhase.STATEFUL
        and meta.generation.mode == schemathesis.GenerationMode.POSITIVE
        and context.operation.label == "POST /api/accounts"
    ):
        case.body = {
            "email": f"scenario-{next(numbers)}@example.com",
            "displayName": "Scenario",
            "provider": "imap_smtp",
            "credentials": {
                "imapHost": "imap.example.com",
                "imapPort": 993,
                "smtpHost": "smtp.example.com",
                "smtpPort": 587,
                "username": "scenario",
                "password": "scenario",
            },
        }
    return case
