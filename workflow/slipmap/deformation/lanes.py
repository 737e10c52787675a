"""Numbers of sixteen pixels side by side, as one value that compiled code keeps in vector registers.

A loop over pixels around a solver of small banded systems is not turned into vector instructions by the compiler: the
arrays that it works in might overlap. These types say what is meant: `load32` gives sixteen neighbouring float32,
operators work on all of them, `store` puts them back. LLVM makes of them what the processor has (AVX, NEON, …).
All of it is for functions compiled by numba only.
"""

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

LANES = 16  # one cache line of float32


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
    def __init__(self, manager, kind):
        super().__init__(manager, kind, kind.llvm)


def _pointer(context, builder, array_type, array, index, of):
    """Pointer to element `index` of a one-dimensional array, as a pointer to `of`."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(cgutils.gep_inbounds(builder, data, index), of.as_pointer())


def _splat(builder, element, count=LANES):
    vector = ir.Constant(ir.VectorType(element.type, count), ir.Undefined)
    vector = builder.insert_element(vector, element, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count)
    return builder.shuffle_vector(vector, vector, zeros)


def _called(builder, name, result, *values):
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(result, [value.type for value in values]), name
    )
    return builder.call(function, values)


@intrinsic
def load(typing, array, index):
    """The sixteen elements of a one-dimensional float array from `index` on."""
    if not (isinstance(array, types.Array) and array.ndim == 1 and array.dtype in _ELEMENTS):
        return None
    kind = _ELEMENTS[array.dtype]

    def make(context, builder, signature, args):
        place = _pointer(context, builder, signature.args[0], *args, kind.llvm)
        return builder.load(place, align=_bytes(kind))

    return kind(array, types.intp), make


@intrinsic
def store(typing, array, index, value):
    """Put sixteen values into a one-dimensional array of their type, from `index` on."""

    def make(context, builder, signature, args):
        place = _pointer(context, builder, signature.args[0], args[0], args[1], signature.args[2].llvm)
        builder.store(args[2], place, align=_bytes(signature.args[2]))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), make


@intrinsic
def prefetch(typing, array, index):
    """Ask for the cache line of an element that will be read soon; `index` may lie beyond the end."""

    def make(context, builder, signature, args):
        byte = ir.IntType(8)
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), byte.as_pointer())
        flags = [ir.Constant(ir.IntType(32), v) for v in (0, 3, 1)]  # read, keep, data
        _called(builder, "llvm.prefetch.p0", ir.VoidType(), place, *flags)
        return context.get_dummy_value()

    return types.void(array, types.intp), make


def _bytes(kind: _Lanes) -> int:
    return 4 if kind is FLOAT32 else 8


def _maker_of_splat(kind, scalar):
    @intrinsic
    def splat(typing, value):
        """The same number in all lanes."""
        return kind(scalar), lambda context, builder, signature, args: _splat(builder, args[0])

    return splat


splat32 = _maker_of_splat(FLOAT32, types.float32)
splat64 = _maker_of_splat(FLOAT64, types.float64)


@intrinsic
def widen(typing, value):
    """float32 to float64."""
    return FLOAT64(FLOAT32), lambda context, builder, signature, args: builder.fpext(args[0], FLOAT64.llvm)


@intrinsic
def narrow(typing, value):
    """float64 to float32."""
    return FLOAT32(FLOAT64), lambda context, builder, signature, args: builder.fptrunc(args[0], FLOAT32.llvm)


def _unary(name):
    @intrinsic
    def function(typing, value):
        def make(context, builder, signature, args):
            suffix = "f32" if value is FLOAT32 else "f64"
            return _called(builder, f"llvm.{name}.v{LANES}{suffix}", value.llvm, *args)

        return value(value), make

    return function


floor = _unary("floor")
root = _unary("sqrt")


def _comparison(sign):
    @intrinsic
    def function(typing, left, right):
        """Ordered: false where a lane is NaN."""
        return MASK(left, right), lambda context, builder, signature, args: builder.fcmp_ordered(sign, *args)

    return function


equal = _comparison("==")
unequal = _comparison("!=")
greater = _comparison(">")


@intrinsic
def both(typing, left, right):
    """Lanes where both masks are true."""
    return MASK(MASK, MASK), lambda context, builder, signature, args: builder.and_(*args)


@intrinsic
def either(typing, left, right):
    """Lanes where one mask is true, or both are."""
    return MASK(MASK, MASK), lambda context, builder, signature, args: builder.or_(*args)


@intrinsic
def select(typing, mask, true, false):
    """`true` where the mask is, else `false`."""
    return true(MASK, true, true), lambda context, builder, signature, args: builder.select(*args)


@intrinsic
def some(typing, mask):
    """Whether the mask is true in any lane."""

    def make(context, builder, signature, args):
        bits = builder.bitcast(args[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(MASK), make


@intrinsic
def lookup(typing, table, index):
    """table[index] in each lane; `index` (float32) holds whole numbers that are known to lie in the table."""

    def make(context, builder, signature, args):
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


def _arithmetic(symbol, method):
    @intrinsic
    def apply(typing, left, right):
        def make(context, builder, signature, args):
            return getattr(builder, method)(*args, flags=_CONTRACT)

        return left(left, left), make

    @overload(symbol)
    def _(left, right):
        if isinstance(left, _Lanes) and left is right:
            return lambda left, right: apply(left, right)
        return None


for _symbol, _method in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _arithmetic(_symbol, _method)
