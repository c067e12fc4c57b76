#!/usr/bin/env bash
# Software:  dependency-injector 4.49.1.
# Belief:    After await container.init_resources() an async resource is an object like another,
#            so what depends on it is made as before.
# Behaviour: A factory or singleton with an async resource anywhere below it returns a Future for
#            good, also after init_resources(): a truthy object without the methods that are
#            expected. Every user has to await, up to the top of the container. There is no error
#            until an attribute is missing.
# Seen:      "expected" below.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    dependency-injector==4.49.1

cat > "$work/see.py" <<'PYTHON'
import asyncio
from collections.abc import AsyncIterator

from dependency_injector import containers, providers


class Client:
    def __init__(self, session: str = "") -> None:
        self.session = session


async def session() -> AsyncIterator[str]:
    yield "open"


class Container(containers.DeclarativeContainer):
    session = providers.Resource(session)
    plain = providers.Factory(Client)
    client = providers.Singleton(Client, session=session)
    service = providers.Factory(dict, client=client)


async def main() -> None:
    container = Container()
    await container.init_resources()
    for provider in (container.plain, container.session, container.client, container.service):
        print(type(provider()).__name__)
    print((await container.service())["client"].session)
    await container.shutdown_resources()


asyncio.run(main())
PYTHON
expected="Client
Future
Future
Future
open"
seen=$("$work/venv/bin/python" "$work/see.py")
echo "$seen"
[ "$seen" = "$expected" ]
