"""What the server calls of the application for each request."""

from abc import abstractmethod
from typing import Protocol

from aiohttp import web


class RequestHooks(Protocol):
    """Implemented by the application, found under ``REQUEST_HOOKS``."""

    @abstractmethod
    def begin(self, request: web.BaseRequest) -> None:
        """Note that a request has arrived: its headers are complete, or cannot be parsed."""

    @abstractmethod
    def reject(self, request: web.BaseRequest, error: Exception) -> web.Response:
        """Make the response to a request that has begun and that no handler will see."""
