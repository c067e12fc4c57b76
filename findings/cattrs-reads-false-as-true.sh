#!/usr/bin/env bash
# Software:  cattrs 26.2.1, attrs 26.1.0.
# Belief:    A converter with forbid_extra_keys and detailed validation refuses values of the
#            wrong type.
# Behaviour: Primitives are converted by calling their type: the text 'false' is True, 1.9 is 1,
#            and None is the text 'None', without an error. Only literals, enums and classes are
#            checked; a hook for each primitive type makes it strict.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    cattrs==26.2.1 attrs==26.1.0

cat > "$work/see.py" <<'PYTHON'
import cattrs
from attrs import define


@define
class Mute:
    muted: bool
    volume: int
    room: str


strict = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
print(strict.structure({"muted": "false", "volume": 1.9, "room": None}, Mute))


def boolean(value: object, _: type) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


strict.register_structure_hook(bool, boolean)
try:
    strict.structure({"muted": "false", "volume": 1, "room": "x"}, Mute)
except cattrs.ClassValidationError as error:
    print(cattrs.transform_error(error))
PYTHON
expected="Mute(muted=True, volume=1, room='None')
['invalid value for type, expected bool @ \$.muted']"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
