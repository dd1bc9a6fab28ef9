"""``seqino sandbox``: a platform on your own machine, until Ctrl-C."""

# ruff: noqa: FBT002 - options of a command line are named there

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from seqino.cli.announce import announcement, for_machines, warning
from seqino.cli.common import one_line_errors
from seqino.cli.running import carry_out
from seqino.cli.terminal import console
from seqino.cli.values import read_rates
from seqino.errors import ConfigurationError, InvalidInput

if TYPE_CHECKING:
    from seqino.sandbox import Sandbox

__all__ = ["Settings", "sandbox", "serve"]


@attrs.frozen(kw_only=True)
class Settings:
    """What the command line asks of a sandbox; each is described there, or at ``Sandbox``."""

    host: str = "127.0.0.1"
    port: int = 8052
    control_port: int = 0
    scenario: str = "paid"
    speed: float = 1.0
    seed: int = 0
    show_inferred: bool = True
    api_key: str | None = attrs.field(default=None, repr=False)
    state: Path | None = None
    limits: Sequence[str] = ()
    faults: Mapping[str, float] = attrs.field(factory=dict[str, float])

    def make(self) -> "Sandbox":
        """Make the sandbox.

        Raises:
            ConfigurationError: The extra is not installed.
            InvalidInput: A value is out of its range, or there is no such scenario.
        """
        try:
            from seqino.sandbox import Sandbox  # noqa: PLC0415 - an extra of its own, and slow to load
            from seqino.sandbox.limits import parse_limits  # noqa: PLC0415 - of the same extra
        except ImportError as error:
            raise ConfigurationError(str(error)) from error
        try:
            return Sandbox(
                host=self.host,
                port=self.port,
                control_port=self.control_port,
                scenario=self.scenario,
                speed=self.speed,
                seed=self.seed,
                show_inferred=self.show_inferred,
                api_key=self.api_key,
                state=self.state,
                limits=parse_limits(self.limits),
                faults=self.faults,
            )
        except ValueError as error:
            raise InvalidInput(str(error)) from None


def sandbox(  # noqa: PLR0917 - each is an option of the command
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for a free one.")] = 8052,
    host: Annotated[
        str, typer.Option(help="Address to listen on; the sandbox guards nothing.")
    ] = "127.0.0.1",
    control_port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            help="Port on which the control API answers whatever is to go wrong; 0 for a free one.",
        ),
    ] = 0,
    scenario: Annotated[str, typer.Option(help="What buyers do, such as paid, refused or silent.")] = "paid",
    speed: Annotated[
        float, typer.Option(help="Seconds of sandbox time in a real second, up to 1000000; 0 stands still.")
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Ids follow from it, and all else that is drawn.")] = 0,
    hide_inferred: Annotated[
        bool,
        typer.Option(
            "--hide-inferred",
            help="Do not tell, in answers, refusals and webhooks, what became of a draft.",
        ),
    ] = False,
    api_key: Annotated[
        str | None,
        typer.Option(help="The one key that is taken, an invented one; any by default.", show_default=False),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="File that keeps what was acknowledged, across restarts; made when it is missing.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            help="Calls of each client, as 100/minute, or '/drafts 10/minute' for one endpoint; repeatable.",
            show_default=False,
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=RATE",
            help="A fault for a part of all requests, such as reset-after=0.05; may be repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say where it listens in one JSON line, and nothing else.")
    ] = False,
) -> None:
    """Run a platform on this machine until Ctrl-C; nothing that is sent to it leaves the machine.

    It says how to use it once it listens. Exit codes: 0 stopped (Ctrl-C, SIGTERM), 1 it cannot listen, 2
    wrong usage.
    """
    with one_line_errors():
        settings = Settings(
            host=host,
            port=port,
            control_port=control_port,
            scenario=scenario,
            speed=speed,
            seed=seed,
            show_inferred=not hide_inferred,
            api_key=api_key,
            state=state,
            limits=limit or (),
            faults=read_rates(fault or ()),
        )
        carry_out(serve(settings, as_json=as_json))


async def serve(settings: Settings, *, as_json: bool = False) -> None:
    """Run a sandbox until cancelled, and say first how to use it.

    Args:
        settings: What is asked of it.
        as_json: Whether a machine reads what is said.

    Raises:
        ConfigurationError: The extra is not installed.
        InvalidInput: A value is out of its range, or there is no such scenario.
        OSError: The port is in use, or the address is not this machine's; or the state file cannot be used.
    """
    async with settings.make() as server:
        out = console()
        if as_json:
            lines = [for_machines(server.url, server.control_url, pid=os.getpid())]
            if (warned := warning(server.url)) is not None:
                console(stderr=True).print(warned, markup=False, soft_wrap=True)
        else:
            lines = _announcement(server, settings)
        for line in lines:
            out.print(line, markup=False, soft_wrap=True)
        await server.serve_forever()


def _announcement(server: "Sandbox", settings: Settings) -> list[str]:
    from seqino.sandbox import MAGIC_BUYERS  # noqa: PLC0415 - as above

    return list(
        announcement(
            server.url,
            server.control_url,
            scenario=settings.scenario,
            speed=settings.speed,
            is_strict=settings.api_key is not None,
            buyers=MAGIC_BUYERS,
        )
    )
