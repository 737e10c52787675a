"""How the command line says what is wrong with it."""

import argparse
import re
from typing import NoReturn

from slipmap.errors import nearest


class CommandLine(argparse.ArgumentParser):
    """One that names the nearest command or option for one that is not known."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, in a sentence, and end."""
        wrong = re.search(r"argument COMMAND: invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if wrong:
            known = [name.strip("' ") for name in wrong[2].split(",")]
            message = f"there is no command '{wrong[1]}'{nearest(wrong[1], known)}"
        end = "" if message.endswith(("?", ".")) else "."
        self.exit(2, f"slipmap: {message}{end} See '{self.prog} --help'.\n")
