"""128-bit vectors inside kernels: the type, and the few instructions that AES-GCM is made of.

numba knows neither the type nor AES-NI; LLVM knows both. What stands here is only usable where :data:`AVAILABLE`:
on x86-64 with AES-NI, PCLMULQDQ and SSSE3.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic as numba_intrinsic
from numba.extending import models, register_model

_FEATURES = llvm.get_host_cpu_features()
AVAILABLE: bool = all(_FEATURES.get(name, False) for name in ("aes", "pclmul", "ssse3"))
"""The processor has AES-NI, carry-less multiplication and byte shuffles."""

_PAIR = ir.VectorType(ir.IntType(64), 2)
_BYTES = ir.VectorType(ir.IntType(8), 16)
_INDEX = ir.VectorType(ir.IntType(32), 16)
_INDEX_PAIR = ir.VectorType(ir.IntType(32), 2)

_Generate = Callable[[Any, tuple[Any, ...]], Any]


def intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    """What numba makes of ``function``, called from kernels without the typing context it takes first."""
    return numba_intrinsic(function)


class Vector(types.Type):
    """128 bits in one register."""

    def __init__(self) -> None:
        super().__init__(name="Vector128")


VECTOR = Vector()


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _PAIR)


def _instruction(result: Any, arguments: tuple[Any, ...], generate: _Generate) -> Any:
    """The typing and code of an intrinsic, from what its builder does with its values."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return generate(builder, tuple(values))

    return result(*arguments), code


def _call(builder: Any, name: str, values: tuple[Any, ...]) -> Any:
    kind = ir.FunctionType(values[0].type, [value.type for value in values])
    return builder.call(builder.module.globals.get(name) or ir.Function(builder.module, kind, name), values)


def _address(builder: Any, value: Any) -> Any:
    return builder.inttoptr(value, _PAIR.as_pointer())


@intrinsic
def load(context: Any, address: Any) -> Any:
    """The 16 bytes at ``address``, aligned or not."""
    return _instruction(VECTOR, (types.uintp,), lambda build, v: build.load(_address(build, v[0]), align=1))


@intrinsic
def store(context: Any, address: Any, value: Any) -> Any:
    """Write 16 bytes to ``address``, aligned or not."""

    def generate(builder: Any, values: tuple[Any, ...]) -> Any:
        builder.store(values[1], _address(builder, values[0]), align=1)
        return ir.Constant(ir.IntType(64), 0)

    return _instruction(types.int64, (types.uintp, VECTOR), generate)


@intrinsic
def vector(context: Any, low: Any, high: Any) -> Any:
    """Two 64-bit words, the low one first in memory."""

    def generate(builder: Any, values: tuple[Any, ...]) -> Any:
        half = builder.insert_element(ir.Constant(_PAIR, ir.Undefined), values[0], ir.Constant(ir.IntType(32), 0))
        return builder.insert_element(half, values[1], ir.Constant(ir.IntType(32), 1))

    return _instruction(VECTOR, (types.uint64, types.uint64), generate)


@intrinsic
def low(context: Any, value: Any) -> Any:
    """The word that comes first in memory."""
    return _instruction(
        types.uint64, (VECTOR,), lambda build, v: build.extract_element(v[0], ir.Constant(ir.IntType(32), 0))
    )


@intrinsic
def high(context: Any, value: Any) -> Any:
    """The word that comes second in memory."""
    return _instruction(
        types.uint64, (VECTOR,), lambda build, v: build.extract_element(v[0], ir.Constant(ir.IntType(32), 1))
    )


@intrinsic
def xor(context: Any, one: Any, other: Any) -> Any:
    """Bitwise difference."""
    return _instruction(VECTOR, (VECTOR, VECTOR), lambda build, v: build.xor(v[0], v[1]))


@intrinsic
def both(context: Any, one: Any, other: Any) -> Any:
    """Bitwise conjunction."""
    return _instruction(VECTOR, (VECTOR, VECTOR), lambda build, v: build.and_(v[0], v[1]))


@intrinsic
def reverse(context: Any, value: Any) -> Any:
    """The 16 bytes in the opposite order."""

    def generate(builder: Any, values: tuple[Any, ...]) -> Any:
        octets = builder.bitcast(values[0], _BYTES)
        order = ir.Constant(_INDEX, list(range(15, -1, -1)))
        return builder.bitcast(builder.shuffle_vector(octets, octets, order), _PAIR)

    return _instruction(VECTOR, (VECTOR,), generate)


@intrinsic
def swap(context: Any, value: Any) -> Any:
    """The two words in the opposite order."""
    order = ir.Constant(_INDEX_PAIR, [1, 0])
    return _instruction(VECTOR, (VECTOR,), lambda build, v: build.shuffle_vector(v[0], v[0], order))


@intrinsic
def aes_round(context: Any, state: Any, key: Any) -> Any:
    """One inner round of AES encryption (FIPS 197 §5.1)."""
    return _instruction(VECTOR, (VECTOR, VECTOR), lambda build, v: _call(build, "llvm.x86.aesni.aesenc", v))


@intrinsic
def aes_last(context: Any, state: Any, key: Any) -> Any:
    """The last round of AES encryption."""
    return _instruction(VECTOR, (VECTOR, VECTOR), lambda build, v: _call(build, "llvm.x86.aesni.aesenclast", v))


def _product(which: int) -> _Generate:
    def generate(builder: Any, values: tuple[Any, ...]) -> Any:
        name = "llvm.x86.pclmulqdq"
        kind = ir.FunctionType(_PAIR, [_PAIR, _PAIR, ir.IntType(8)])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        return builder.call(function, (*values, ir.Constant(ir.IntType(8), which)))

    return generate


@intrinsic
def multiply_low(context: Any, one: Any, other: Any) -> Any:
    """Carry-less product of the low words."""
    return _instruction(VECTOR, (VECTOR, VECTOR), _product(0x00))


@intrinsic
def multiply_high(context: Any, one: Any, other: Any) -> Any:
    """Carry-less product of the high words."""
    return _instruction(VECTOR, (VECTOR, VECTOR), _product(0x11))


@intrinsic
def multiply_cross(context: Any, one: Any, other: Any) -> Any:
    """Carry-less product of the high word of ``one`` and the low word of ``other``."""
    return _instruction(VECTOR, (VECTOR, VECTOR), _product(0x01))
