"""Numbers of sixteen pixels side by side, as one value that compiled code keeps in vector registers.

A loop over pixels around a solver of small banded systems is not turned into vector instructions by the compiler: the
arrays that it works in might overlap. These types say what is meant: `load32` gives sixteen neighbouring float32,
operators work on all of them, `store` puts them back. LLVM makes of them what the processor has (AVX, NEON, …).
All of it is for functions compiled by numba only.

Two languages of types meet here. `Lanes` tells a type checker what compiled code may do with sixteen values; the
instances of `_Lanes` tell numba how LLVM holds them. An operation is written for numba (`_load`) and named for compiled
code, with the signature that it has there (`load`).
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.base import BaseContext
from numba.core.datamodel.manager import DataModelManager
from numba.core.typing.context import Context
from numba.core.typing.templates import Signature
from numba.extending import intrinsic, models, overload, register_model
from numpy.typing import NDArray

LANES = 16  # one cache line of float32
Scalar = TypeVar("Scalar", bound=np.generic)
_Make = Callable[[BaseContext, ir.IRBuilder, Signature, Sequence[ir.Value]], ir.Value]
_Made = tuple[Signature, _Make]


class Lanes(ABC, Generic[Scalar]):
    """Sixteen numbers as compiled code sees them; none exists outside it."""

    @abstractmethod
    def __add__(self, other: "Lanes[Scalar]") -> "Lanes[Scalar]": ...

    @abstractmethod
    def __sub__(self, other: "Lanes[Scalar]") -> "Lanes[Scalar]": ...

    @abstractmethod
    def __mul__(self, other: "Lanes[Scalar]") -> "Lanes[Scalar]": ...

    @abstractmethod
    def __truediv__(self, other: "Lanes[Scalar]") -> "Lanes[Scalar]": ...


Lanes32 = Lanes[np.float32]
Lanes64 = Lanes[np.float64]
Mask = Lanes[np.bool_]


class _Lanes(types.Type):
    """Sixteen values of one element type."""

    def __init__(self, name: str, element: ir.Type) -> None:
        self.llvm = ir.VectorType(element, LANES)
        super().__init__(name=name)


FLOAT32 = _Lanes("lanes_float32", ir.FloatType())
FLOAT64 = _Lanes("lanes_float64", ir.DoubleType())
MASK = _Lanes("lanes_mask", ir.IntType(1))
_ELEMENTS = {types.float32: FLOAT32, types.float64: FLOAT64}
_CONTRACT = ("contract",)  # a product and a sum may become one instruction


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: DataModelManager, kind: _Lanes) -> None:
        super().__init__(manager, kind, kind.llvm)  # type: ignore[no-untyped-call]  # numba has no types here


def _compiled(definition: Callable[..., _Made | None]) -> Callable[..., Any]:
    """Make an intrinsic. numba types one as CPython sees it: a call never returns. Its name says what it takes."""
    return intrinsic(definition)


def _pointer(
    context: BaseContext, builder: ir.IRBuilder, array_type: types.Type, array: ir.Value, index: ir.Value, of: ir.Type
) -> ir.Value:
    """Pointer to element `index` of a one-dimensional array, as a pointer to `of`."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(cgutils.gep_inbounds(builder, data, index), of.as_pointer())


def _splat(builder: ir.IRBuilder, element: ir.Value, count: int = LANES) -> ir.Value:
    vector = ir.Constant(ir.VectorType(element.type, count), ir.Undefined)
    vector = builder.insert_element(vector, element, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count)
    return builder.shuffle_vector(vector, vector, zeros)


def _called(builder: ir.IRBuilder, name: str, result: ir.Type, *values: ir.Value) -> ir.Value:
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(result, [value.type for value in values]), name
    )
    return builder.call(function, values)


def _load(typing: Context, array: types.Type, index: types.Type) -> _Made | None:
    """The sixteen elements of a one-dimensional float array from `index` on."""
    if not (isinstance(array, types.Array) and array.ndim == 1 and array.dtype in _ELEMENTS):
        return None
    kind = _ELEMENTS[array.dtype]

    def make(context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: Sequence[ir.Value]) -> ir.Value:
        place = _pointer(context, builder, signature.args[0], args[0], args[1], kind.llvm)
        return builder.load(place, align=_bytes(kind))

    return kind(array, types.intp), make


load: Callable[[NDArray[Scalar], int], Lanes[Scalar]] = _compiled(_load)


def _store(typing: Context, array: types.Type, index: types.Type, value: types.Type) -> _Made | None:
    """Put sixteen values into a one-dimensional array of their type, from `index` on."""
    if not isinstance(value, _Lanes):
        return None

    def make(context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: Sequence[ir.Value]) -> ir.Value:
        place = _pointer(context, builder, signature.args[0], args[0], args[1], value.llvm)
        builder.store(args[2], place, align=_bytes(value))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), make


store: Callable[[NDArray[Scalar], int, Lanes[Scalar]], None] = _compiled(_store)


def _prefetch(typing: Context, array: types.Type, index: types.Type) -> _Made:
    """Ask for the cache line of an element that will be read soon; `index` may lie beyond the end."""

    def make(context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: Sequence[ir.Value]) -> ir.Value:
        byte = ir.IntType(8)
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), byte.as_pointer())
        flags = [ir.Constant(ir.IntType(32), v) for v in (0, 3, 1)]  # read, keep, data
        _called(builder, "llvm.prefetch.p0", ir.VoidType(), place, *flags)
        return context.get_dummy_value()

    return types.void(array, types.intp), make


prefetch: Callable[[NDArray[Any], int], None] = _compiled(_prefetch)


def _bytes(kind: _Lanes) -> int:
    return 4 if kind is FLOAT32 else 8


def _maker_of_splat(kind: _Lanes, scalar: types.Type) -> Callable[..., Any]:
    def splat(typing: Context, value: types.Type) -> _Made:
        """The same number in all lanes."""
        return kind(scalar), lambda context, builder, signature, args: _splat(builder, args[0])

    return _compiled(splat)


splat32: Callable[[np.float32], Lanes32] = _maker_of_splat(FLOAT32, types.float32)
splat64: Callable[[float], Lanes64] = _maker_of_splat(FLOAT64, types.float64)


def _widen(typing: Context, value: types.Type) -> _Made:
    """float32 to float64."""
    return FLOAT64(FLOAT32), lambda context, builder, signature, args: builder.fpext(args[0], FLOAT64.llvm)


widen: Callable[[Lanes32], Lanes64] = _compiled(_widen)


def _narrow(typing: Context, value: types.Type) -> _Made:
    """float64 to float32."""
    return FLOAT32(FLOAT64), lambda context, builder, signature, args: builder.fptrunc(args[0], FLOAT32.llvm)


narrow: Callable[[Lanes64], Lanes32] = _compiled(_narrow)


def _unary(name: str) -> Callable[..., Any]:
    def function(typing: Context, value: types.Type) -> _Made | None:
        if not isinstance(value, _Lanes):
            return None

        def make(
            context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: Sequence[ir.Value]
        ) -> ir.Value:
            suffix = "f32" if value is FLOAT32 else "f64"
            return _called(builder, f"llvm.{name}.v{LANES}{suffix}", value.llvm, *args)

        return value(value), make

    return _compiled(function)


floor: Callable[[Lanes[Scalar]], Lanes[Scalar]] = _unary("floor")
root: Callable[[Lanes[Scalar]], Lanes[Scalar]] = _unary("sqrt")


def _comparison(sign: str) -> Callable[..., Any]:
    def function(typing: Context, left: types.Type, right: types.Type) -> _Made:
        """Ordered: false where a lane is NaN."""
        return MASK(left, right), lambda context, builder, signature, args: builder.fcmp_ordered(sign, *args)

    return _compiled(function)


equal: Callable[[Lanes[Scalar], Lanes[Scalar]], Mask] = _comparison("==")
unequal: Callable[[Lanes[Scalar], Lanes[Scalar]], Mask] = _comparison("!=")
greater: Callable[[Lanes[Scalar], Lanes[Scalar]], Mask] = _comparison(">")


def _both(typing: Context, left: types.Type, right: types.Type) -> _Made:
    """Lanes where both masks are true."""
    return MASK(MASK, MASK), lambda context, builder, signature, args: builder.and_(*args)


both: Callable[[Mask, Mask], Mask] = _compiled(_both)


def _either(typing: Context, left: types.Type, right: types.Type) -> _Made:
    """Lanes where one mask is true, or both are."""
    return MASK(MASK, MASK), lambda context, builder, signature, args: builder.or_(*args)


either: Callable[[Mask, Mask], Mask] = _compiled(_either)


def _select(typing: Context, mask: types.Type, true: types.Type, false: types.Type) -> _Made:
    """`true` where the mask is, else `false`."""
    return true(MASK, true, true), lambda context, builder, signature, args: builder.select(*args)


select: Callable[[Mask, Lanes[Scalar], Lanes[Scalar]], Lanes[Scalar]] = _compiled(_select)


def _some(typing: Context, mask: types.Type) -> _Made:
    """Whether the mask is true in any lane."""

    def make(context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: Sequence[ir.Value]) -> ir.Value:
        bits = builder.bitcast(args[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(MASK), make


some: Callable[[Mask], bool] = _compiled(_some)


def _lookup(typing: Context, table: types.Type, index: types.Type) -> _Made:
    """table[index] in each lane; `index` (float32) holds whole numbers that are known to lie in the table."""

    def make(context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: Sequence[ir.Value]) -> ir.Value:
        number = ir.IntType(32)
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        places = builder.fptosi(args[1], ir.VectorType(number, LANES))
        result = ir.Constant(FLOAT32.llvm, ir.Undefined)
        for lane in range(LANES):
            at = ir.Constant(number, lane)
            element = builder.load(builder.gep(data, [builder.extract_element(places, at)], inbounds=True))
            result = builder.insert_element(result, element, at)
        return result

    return FLOAT32(types.Array(types.float32, 1, "C"), FLOAT32), make


lookup: Callable[[NDArray[np.float32], Lanes32], Lanes32] = _compiled(_lookup)


def _arithmetic(symbol: Callable[[Any, Any], Any], method: str) -> None:
    def definition(typing: Context, left: types.Type, right: types.Type) -> _Made:
        def make(
            context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: Sequence[ir.Value]
        ) -> ir.Value:
            return getattr(builder, method)(*args, flags=_CONTRACT)

        return left(left, left), make

    apply = _compiled(definition)

    @overload(symbol)
    def _(left: types.Type, right: types.Type) -> Callable[..., Any] | None:
        if isinstance(left, _Lanes) and left is right:

            def applied(
                left: types.Type, right: types.Type
            ) -> Any:  # numba asks for the signature of the outer function
                return apply(left, right)

            return applied
        return None


for _symbol, _method in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_symbol, _method)
