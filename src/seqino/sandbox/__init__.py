"""A platform on your own machine, to build, test and break an integration without an account.

It judges every request by the API's description and shares no code with the client, so that a fault of one
cannot hide behind the other.
"""

from seqino.sandbox.mandate_outcomes import MAGIC_MANDATES
from seqino.sandbox.receiver import Received, Receiver
from seqino.sandbox.scenarios import MAGIC_BUYERS, SCENARIOS
from seqino.sandbox.server import Sandbox, SandboxError

__all__ = [
    "MAGIC_BUYERS",
    "MAGIC_MANDATES",
    "SCENARIOS",
    "Received",
    "Receiver",
    "Sandbox",
    "SandboxError",
]
