"""Logs: structured; one correlation id follows a cause through every service. Never a token or an address.

An exception is told without the values of its variables: they hold what must not be told, and can be endless.
"""

import logging
from typing import Any, cast

import structlog

Logger = structlog.stdlib.BoundLogger

_JSON_EXCEPTION = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure(style: str) -> None:
    """Send all logs, ours and the libraries', to standard error as `json` lines or as `text` for people."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = (
        [_JSON_EXCEPTION, structlog.processors.JSONRenderer()]
        if style == "json"
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.INFO)
    for noisy in (
        "apscheduler",
        "aiosqlite",
        "httpx",
        "httpcore",
        "mail.log",
        "uvicorn.access",
        "faststream",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> Logger:
    """The log of one module; `name` is its `__name__`."""
    return cast("Logger", structlog.get_logger(name))


def correlate(correlation_id: str) -> None:
    """From here on, this task's log lines and the events that it saves carry this id."""
    structlog.contextvars.bind_contextvars(correlation_id=correlation_id)


def correlation() -> str:
    """The id of what caused this, or `-` outside of any request or event."""
    return str(structlog.contextvars.get_contextvars().get("correlation_id", "-"))
