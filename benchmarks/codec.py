"""How fast the codec reads and writes, beside msgspec.Struct twins of the same models.

``python -m benchmarks.codec [ROUNDS]`` prints medians in µs and, what alone can be compared, the median of
the ratios to the twin measured in the same round. The rounds are shuffled; nothing is asserted.
"""

from __future__ import annotations

import importlib.resources
import json
import random
import statistics
import sys
import time
import typing
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from seqino import models
from seqino._core.codec import Codec
from seqino._core.decimals import odd_member
from seqino._core.shortcuts import Recogniser
from seqino._core.typegraph import is_model, members
from seqino._generated.tables import CONSTRAINTS, WIRE_NAMES

SAMPLE = "14-farm-supplies-draft.json"
_SIZE = 8_000
_EVENTS = 1_000

READ_TWIN, READ_CODEC, READ_CHECK = (
    "read: Struct twin",
    "read: codec",
    "  of which the search for odd numbers",
)
WRITE_TWIN, WRITE_CODEC, WRITE_NATIVE = "write: Struct twin", "write: codec", "  msgspec alone"

Cases: TypeAlias = dict[str, Callable[[], object]]


def twin(form: Any, made: dict[Any, Any]) -> Any:
    """Give the same type form with each attrs class replaced by a msgspec.Struct of the same fields."""
    if form in made:
        return made[form]
    if is_model(form):
        fields = [
            (member.name, twin(member.form, made))
            if member.required
            else (member.name, twin(member.form, made), member.default)
            for member in members(form)
        ]
        made[form] = msgspec.defstruct(form.__name__, fields, kw_only=True)
        return made[form]
    if typing.get_args(form) and typing.get_origin(form) is not list and typing.get_origin(form) is not dict:
        return typing.Union[tuple(twin(part, made) for part in typing.get_args(form))]  # noqa: UP007 - computed
    if typing.get_origin(form) is list:
        return list[twin(typing.get_args(form)[0], made)]  # type: ignore[misc] # a type form made at run time
    return form


def invoice() -> bytes:
    """Give a draft of about 8 kB, as the platform would send it: amounts as text, no spaces."""
    text = importlib.resources.files("seqino.sandbox").joinpath("invoices", SAMPLE).read_text("utf-8")
    draft = json.loads(text, parse_float=str)
    lines = list(draft["lines"])
    while len(_compact(draft)) < _SIZE:
        draft["lines"].append(
            dict(lines[len(draft["lines"]) % len(lines)], line_id=str(len(draft["lines"]) + 1))
        )
    return _compact(draft)


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def events() -> bytes:
    """Give a page of 1,000 lifecycle events."""
    codes = list(models.LifecycleStatusCode)
    return _compact(
        [
            {
                "status_code": codes[number % len(codes)].value,
                "timestamp": f"2026-01-{number % 28 + 1:02}T08:30:{number % 60:02}.123456+01:00",
                "emitter": "PDPE",
                "reason": None if number % 3 else "Statut reçu de la plateforme de l'acheteur",
                "rejection_reason": None,
                "is_mandatory": number % 2 == 0,
            }
            for number in range(_EVENTS)
        ]
    )


def measure(cases: Cases, base: str, rounds: int) -> dict[str, list[float]]:
    """Time the cases in shuffled rounds; give the seconds each took in each round."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    start = time.perf_counter()
    cases[base]()
    repeats = max(1, int(0.004 / (time.perf_counter() - start)))
    for _ in range(rounds):
        for name in random.sample(list(cases), len(cases)):
            start = time.perf_counter()
            for _ in range(repeats):
                cases[name]()
            times[name].append((time.perf_counter() - start) / repeats)
    return times


def show(times: dict[str, list[float]], base: str) -> None:
    """Print medians, and ratios to the base of the same round."""
    for name, taken in times.items():
        ratio = statistics.median(one / other for one, other in zip(taken, times[base], strict=True))
        print(f"  {name:<44} {statistics.median(taken) * 1e6:>10.1f} µs {ratio:>7.2f}")


def cases(data: bytes, form: Any) -> tuple[Cases, Cases]:
    """Give what reads and what writes one document."""
    codec = Codec(CONSTRAINTS, WIRE_NAMES)
    decoder = msgspec.json.Decoder(twin(form, {}))
    encode = msgspec.json.Encoder().encode
    value, other = codec.decode(data, form), decoder.decode(data)
    native = msgspec.json.Decoder(form).decode
    recognise = Recogniser(CONSTRAINTS, WIRE_NAMES).recognise(form)
    untyped: Any = msgspec.json.decode(data)
    reading: Cases = {
        READ_TWIN: lambda: decoder.decode(data),
        READ_CODEC: lambda: codec.decode(data, form),
        READ_CHECK: lambda: odd_member(data),
        "  msgspec alone (defaults filled in)": lambda: native(data),
        "  the exact way, through cattrs": lambda: codec.convert(untyped, form),
    }
    writing: Cases = {
        WRITE_TWIN: lambda: encode(other),
        WRITE_CODEC: lambda: codec.encode(value, form),
        WRITE_NATIVE: lambda: encode(value),
        "  the check alone": lambda: recognise(value),
        "  a mapping": lambda: codec.encode(untyped, form),
    }
    return reading, writing


def compare(title: str, data: bytes, form: Any, rounds: int) -> None:
    """Compare reading and writing of one document."""
    print(f"{title}, {len(data):,} bytes, {data.count(b'null')} nulls")
    for each, base in zip(cases(data, form), (READ_TWIN, WRITE_TWIN), strict=True):
        show(measure(each, base, rounds), base)


def main() -> None:
    """Run all comparisons."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    compare("invoice draft", invoice(), models.InvoiceDraft, rounds)
    compare("lifecycle events", events(), list[models.LifecycleEvent], rounds)


if __name__ == "__main__":
    main()
