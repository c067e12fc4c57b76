#!/usr/bin/env bash
# Software:  dependency-injector 4.49.1.
# Belief:    A container that inherits from another one can state a dependency again, for instance
#            as an instance of a narrower class, as a class overrides an attribute.
# Behaviour: The container can be made. Each call of a provider that the base has defined ends in a
#            RecursionError, while the providers of the subclass work. Without the second statement,
#            with Base.settings in the subclass, all work; so does providers.Container(Base, ...).
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    dependency-injector==4.49.1

cat > "$work/see.py" <<'PYTHON'
from dependency_injector import containers, providers


class Base(containers.DeclarativeContainer):
    settings = providers.Dependency(instance_of=dict)
    of_base = providers.Factory(list, settings.provided["x"])


class Replaced(Base):
    settings = providers.Dependency(instance_of=dict)
    own = providers.Factory(list, settings.provided["x"])


class Used(Base):
    own = providers.Factory(list, Base.settings.provided["x"])


class Composed(containers.DeclarativeContainer):
    settings = providers.Dependency(instance_of=dict)
    base = providers.Container(Base, settings=settings)
    of_base = base.of_base
    own = providers.Factory(list, settings.provided["x"])


for container in (Replaced, Used, Composed):
    made = container(settings={"x": "ok"})
    for provider in (made.own, made.of_base):
        try:
            print(container.__name__, "".join(provider()))
        except RecursionError:
            print(container.__name__, "RecursionError")
PYTHON
expected="Replaced ok
Replaced RecursionError
Used ok
Used ok
Composed ok
Composed ok"
seen=$("$work/venv/bin/python" "$work/see.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "$expected" ]
