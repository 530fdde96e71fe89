"""Options that belong together, taken by a command as one parameter.

Knows how a group is laid open for typer, which wants a parameter for each option. Knows no option.
"""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["grouped"]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Return `command` with an option for each field of the dataclasses among its parameters.

    Every field of a group needs a default and, as its type, what typer takes for an option.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    signature = inspect.signature(command)
    options = [
        option
        for parameter in signature.parameters.values()
        for option in _options(parameter, hints[parameter.name])
    ]

    @wraps(command)
    def opened(**given: Any) -> None:
        for name, kind in groups.items():
            own = given.keys() & {field.name for field in fields(kind)}
            given[name] = kind(**{option: given.pop(option) for option in own})
        command(**given)

    # What typer looks at, instead of what `wraps` has copied.
    opened.__annotations__ = {option.name: option.annotation for option in options}
    vars(opened)["__signature__"] = signature.replace(parameters=options)
    return opened


def _options(parameter: inspect.Parameter, kind: Any) -> Iterator[inspect.Parameter]:
    if not is_dataclass(kind):
        yield parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY)
        return
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        yield inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=hints[field.name],
        )
