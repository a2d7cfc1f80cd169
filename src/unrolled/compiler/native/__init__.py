"""From a plan to the C source of a kernel that runs forward and backward over whole sequences."""

from unrolled.compiler.native.kernel import Kernel, make_kernel

__all__ = ["Kernel", "make_kernel"]
