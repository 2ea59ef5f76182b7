// What ptxas says of each kernel (--ptxas-options=-v): the proof, without a GPU, that a kernel keeps its state in registers.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limrisk::cuda {

/// Resources of one function of a program. Bytes are per thread, shared memory per block.
struct KernelResources {
    std::string name;                    ///< mangled, as in the cubin
    bool kernel = true;                  ///< a __global__ function; else a device function that was not inlined
    std::int64_t registers = 0;          ///< per thread, of the kernel and all that it calls; 0 for a device function
    std::int64_t shared_bytes = 0;       ///< static shared memory
    std::int64_t stack_bytes = 0;        ///< local memory of this function: spills, and arrays that are not in registers
    std::int64_t spill_store_bytes = 0;  ///< stores to spill slots in the machine code
    std::int64_t spill_load_bytes = 0;   ///< loads from them
    std::int64_t constant_bytes = 0;     ///< constant memory: parameters and literals (reported up to sm_89)

    /// No local memory at all.
    bool register_resident() const { return stack_bytes == 0 && spill_store_bytes == 0 && spill_load_bytes == 0; }
    bool operator==(const KernelResources&) const = default;
};

/// Every function in the log of a compile with --ptxas-options=-v, in the order of the log. Other lines are left out.
/// @throws Defect if a report lacks one of its lines or a number, that is, if ptxas writes in another way than this reader knows.
std::vector<KernelResources> parse_kernel_resources(std::string_view log);

}  // namespace limrisk::cuda
