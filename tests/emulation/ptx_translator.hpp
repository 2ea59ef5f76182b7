// PTX as C++ for the emulated device: what NVRTC makes of kernels/, instruction by instruction.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace limrisk::test {

/// A program for HostCompiler that does what the PTX module says; it includes ptx_instructions.hpp. Knows the instructions that NVRTC
/// emits for kernels/, on kernels with one parameter and shared variables of size 0.
/// @throws Defect that names the line and the instruction that is not known.
std::string translate_ptx(std::string_view ptx);

}  // namespace limrisk::test
