"""``seqino sandbox``: a platform on your own machine, until Ctrl-C."""

from typing import Annotated

import typer

from seqino.cli.common import one_line_errors
from seqino.cli.running import carry_out
from seqino.cli.terminal import console
from seqino.errors import ConfigurationError, InvalidInput

__all__ = ["CLIENT_ID", "sandbox", "serve"]

CLIENT_ID = "sandbox-client-seqino"
"""A client that every sandbox has from the start, as in the platform's documentation."""


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = 8052,
    host: Annotated[
        str, typer.Option(help="Address to listen on; the sandbox guards nothing.")
    ] = "127.0.0.1",
    speed: Annotated[float, typer.Option(help="Seconds of sandbox time in a real second.")] = 1.0,
    scenario: Annotated[str, typer.Option(help="What buyers do, such as paid, refused or silent.")] = "paid",
    api_key: Annotated[
        str | None, typer.Option(help="The one key that is taken; any by default.", show_default=False)
    ] = None,
) -> None:
    """Run a platform on this machine until Ctrl-C; nothing that is sent to it leaves the machine."""
    with one_line_errors():
        carry_out(serve(host, port, speed, scenario, api_key))


async def serve(host: str, port: int, speed: float, scenario: str, api_key: str | None) -> None:
    """Run a sandbox until cancelled, and say first how to reach it.

    Raises:
        ConfigurationError: The extra is not installed.
        InvalidInput: A value is out of its range, or there is no such scenario.
        OSError: The port is in use, or the address is not this machine's.
    """
    try:
        from seqino.sandbox import Sandbox  # noqa: PLC0415 - an extra of its own, and slow to load
    except ImportError as error:
        raise ConfigurationError(str(error)) from error
    try:
        server = Sandbox(host=host, port=port, speed=speed, scenario=scenario, api_key=api_key)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
    async with server:
        key = "sandbox-key" if api_key is None else "the key given with --api-key"
        out = console()
        for line in (
            f"The sandbox listens on {server.url}; Ctrl-C stops it. In another shell:",
            "",
            f"  export SEQINO_BASE_URL={server.url}",
            f"  export SEQINO_CLIENT_ID={CLIENT_ID}",
            f"  export SEQINO_API_KEY={key!r}" if " " in key else f"  export SEQINO_API_KEY={key}",
            "  seqino submit PATH…",
            "  seqino events",
            "",
            f"Buyers: {scenario}; time runs {speed:g} times as fast. Control: {server.url}/_sandbox/",
        ):
            out.print(line, markup=False, soft_wrap=True)
        await server.serve_forever()
