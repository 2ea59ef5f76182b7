// What a device compiler is asked and what it answers, apart from NVRTC, so that cache and scheduling are tested without it.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/cuda/kernel_resources.hpp"
#include "backend/cuda/source_text.hpp"

namespace limrisk::cuda {

/// One program to compile for one architecture.
struct CompileJob {
    std::string name;                           ///< for messages: which kernel of which cell
    std::string source;                         ///< CUDA C++
    std::string architecture;                   ///< "sm_90"
    std::vector<std::string> options;           ///< beyond those that every compile has, e.g. "-DLIMRISK_WIDTH=32"
    std::vector<std::string> name_expressions;  ///< kernels that are templates, e.g. "train<float, 32>"
    std::string kernel;                         ///< the only one in `source`, if others may stand beside it in the program
    /// Bytes at the start of `source` that other jobs have as well, all their #include lines. What follows them in each job can stand one
    /// after the other, so that such jobs are compiled as one program (compile_many); 0: alone.
    std::size_t common_bytes = 0;
    std::span<const SourceText> headers = device_headers();  ///< all that the source may include; the owner keeps them alive
};

/// A finished program: what the driver loads, and what the compiler said of it. Kernels of other jobs may be in it.
struct CompiledProgram {
    std::string cubin;                                 ///< an ELF image, bytes
    std::string log;                                   ///< warnings, and ptxas's report on each kernel
    std::map<std::string, std::string> lowered_names;  ///< name expression -> mangled name

    /// Registers, local memory and spills of each function, read from the log. @throws Defect as parse_kernel_resources
    std::vector<KernelResources> resources() const { return parse_kernel_resources(log); }
    /// The same without the kernels of other jobs.
    std::vector<KernelResources> resources_of(const CompileJob& job) const {
        std::vector<KernelResources> found = resources();
        std::erase_if(found, [&](const KernelResources& r) { return r.kernel && !job.kernel.empty() && r.name != job.kernel; });
        return found;
    }
    bool operator==(const CompiledProgram&) const = default;
};

/// A device compiler; both functions may be called from several threads at once.
class Compiler {
public:
    virtual ~Compiler() = default;

    /// Name, version and build of the compiler: another text means other machine code, so it is part of a cubin's key.
    virtual std::string identity() const = 0;

    /// The best architecture that it compiles for and a device of this compute capability (86 for 8.6) runs; nothing if there is none.
    virtual std::optional<int> architecture_for(int compute_capability) const { return compute_capability; }

    /// Options that every compile gets before the job's own, the architecture apart.
    virtual std::vector<std::string> fixed_options() const = 0;

    /// @throws Error that names the job; Defect with the compiler's log if the source does not compile.
    virtual CompiledProgram compile(const CompileJob& job) const = 0;
};

}  // namespace limrisk::cuda
