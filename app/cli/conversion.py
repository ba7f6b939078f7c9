"""Values of options that need no conversion. Typer imports pydantic to convert any value, even one that is right."""

from typing import Any

from typer.core import TyperCommand, TyperGroup


class LightCommand(TyperCommand):
    """A command that converts values only where they need it."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, the option --help included."""
        return _lightened(super().get_params(ctx))


class LightGroup(TyperGroup):
    """A group of commands that converts values only where they need it."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, the option --help included."""
        return _lightened(super().get_params(ctx))


def _lightened(parameters: list[Any]) -> list[Any]:
    """Make each parameter accept a right value as it is; Typer still converts or refuses every other."""
    for parameter in parameters:
        if not isinstance(parameter.get_runtime_param, _Conversion):
            parameter.get_runtime_param = _Conversion(parameter)
    return parameters


class _Conversion:
    """Stands in for `get_runtime_param` of a parameter and for its result."""

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
