"""Values of options that need no conversion. Typer imports pydantic to convert any value, even one that is right."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typer._click import Command


def convert_only_where_needed(command: "Command") -> None:
    """Let every parameter of `command` take a right value as it is; Typer still converts and refuses every other."""
    for parameter in command.params:
        if hasattr(parameter, "get_runtime_param"):
            parameter.get_runtime_param = _Conversion(parameter)


class _Conversion:
    """Stands in for `get_runtime_param` of a parameter and for what that returns."""

    def __init__(self, parameter: Any) -> None:
        self._original = parameter.get_runtime_param
        self._kind = parameter.type_descriptor.annotation
        self._many = parameter.multiple or parameter.nargs == -1

    def __call__(self) -> "_Conversion":
        return self

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return `value` as the command takes it. Raises BadParameter."""
        if value is None:
            return () if self._many else None
        if self._kind is str and _is_plain(value):
            return value
        if self._kind is int and type(value) is int:
            return value
        if self._kind == list[str] and isinstance(value, list | tuple) and all(map(_is_plain, value)):
            return list(value)
        return self._original().coerce(value, param=param, ctx=ctx)


def _is_plain(value: object) -> bool:
    # Other characters may be no text at all, which Typer refuses.
    return isinstance(value, str) and value.isascii()
