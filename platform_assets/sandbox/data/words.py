"""Random texts and times that look real: some long, some in other scripts."""

import random
import uuid
from datetime import UTC, datetime, timedelta

NAMES = ("Ada", "Grace", "Linus", "Margaret", "Ken", "Barbara", "Edsger", "Radia", "Donald", "Frances", "Søren", "Zoë")
TEXTS = (
    "Fix flaky login test",
    "Bump version to 2.4.1",
    "Erhöhe die Zeitüberschreitung für langsame Läufe",
    "修复支付页面的超时问题",
    "إصلاح تسجيل الدخول 🔐",
    'Quote "this" and \\that\\, then\nstart a new line\tand a tab',
    "Añadir métricas 📈 al panel",
    "",
)
LONG_TEXT = "The quick brown fox jumps over the lazy dog. " * 230


def iso(moment: datetime, *, fraction: str = "milliseconds") -> str:
    """ISO 8601 with `Z`."""
    return moment.astimezone(UTC).isoformat(timespec=fraction).replace("+00:00", "Z")


def plain(moment: datetime) -> str:
    """`YYYY-MM-DD HH:MM:SS` in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def some_uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def some_text(rng: random.Random) -> str:
    return LONG_TEXT if rng.random() < 0.003 else rng.choice(TEXTS)


def before(rng: random.Random, now: datetime, days: float) -> datetime:
    """A random moment within `days` days before `now`, in whole milliseconds."""
    return now - timedelta(milliseconds=rng.randrange(int(days * 86_400_000)))


def email(rng: random.Random) -> str:
    return f"{rng.choice(NAMES).lower()}.{rng.randrange(1000)}@example.com"
