"""Checking: the operator's commands that look at what lies outside the installation."""

import ipaddress
import json
from typing import Annotated
from urllib.parse import urlsplit

import typer

from services.email_domain import Records, Weight, examine_domain
from services.notify.delivery.dkim_format import signing_keys
from services.operator import Installation, Json, settings_of, until_done

check_app = typer.Typer(no_args_is_help=True, help="What lies outside the installation, and should fit it.")


@check_app.callback()
def check() -> None:
    """What lies outside the installation, and should fit it."""


@check_app.command("email-domain")
def check_email_domain(
    domain: Annotated[str, typer.Option(help="Another domain than VALMIUS_MAIL_DOMAIN.")] = "",
    selector: Annotated[str, typer.Option(help="Where the relay's own key is published, if the relay signs.")] = "",
    resolver: Annotated[str, typer.Option(help="Ask this name server, HOST:PORT, not those of the machine.")] = "",
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Look whether the domain of our letters publishes MX, SPF, DKIM and DMARC as receivers want them, and our key.

    Says for each what is wrong and what to do. Exit code 1: something is wrong; advice alone is none.
    """
    settings = settings_of(folder)
    try:
        records = Records(_server(resolver) if resolver else None)
    except LookupError as error:
        raise typer.BadParameter(str(error)) from error
    keys = signing_keys(settings.dkim)
    domain = domain or settings.mail_domain
    findings = until_done(examine_domain(domain, keys, records=records, relay_selector=selector))
    if as_json:
        typer.echo(json.dumps([finding.told() for finding in findings]))
    else:
        for finding in findings:
            typer.echo(finding.line())
    if any(finding.weight is Weight.WRONG for finding in findings):
        raise typer.Exit(1)


def _server(text: str) -> tuple[str, int]:
    """The address and port of a name server."""
    try:
        parts = urlsplit(f"//{text}")
        return str(ipaddress.ip_address(parts.hostname or "")), parts.port or 53
    except ValueError as error:
        raise typer.BadParameter(f"{text} is not the address of a name server, such as 127.0.0.1:53") from error
