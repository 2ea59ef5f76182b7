// NVRTC as a device compiler: CUDA C++ in, machine code for one architecture out, with limrisk's exact arithmetic.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "backend/cuda/compile_job.hpp"
#include "backend/cuda/nvrtc_library.hpp"

namespace limrisk::cuda {

class Nvrtc final : public Compiler {
public:
    struct Version {
        int major = 0, minor = 0;
        auto operator<=>(const Version&) const = default;
    };

    /// The compiler, or why there is none: every place that was tried, a line each.
    static std::variant<Nvrtc, std::string> load(const NvrtcSearch& search = NvrtcSearch::from_environment());

    Version version() const { return version_; }
    const std::filesystem::path& path() const { return library_.path; }

    /// Architectures that it compiles for, ascending: 75, 80, 90, ...
    const std::vector<int>& architectures() const { return architectures_; }

    /// The best architecture whose machine code runs on a device of this compute capability (86 for 8.6): the highest that is not
    /// above it and has the same major number. Nothing if this NVRTC is too old or too new for the device.
    std::optional<int> architecture_for(int compute_capability) const override;

    std::string identity() const override;

    /// No contraction, no flush to zero, IEEE division and square root; every function is a device function; ptxas reports.
    std::vector<std::string> fixed_options() const override;

    /// @throws DeviceError for an architecture that this NVRTC does not know or a broken installation, Defect with the log for a
    /// source that does not compile; both name the job.
    CompiledProgram compile(const CompileJob& job) const override;

    /// The PTX of the job, with the options of compile(): what ptxas makes machine code of. job.architecture is that of the machine code
    /// ("sm_90"); the compile is for its virtual architecture ("compute_90"). @throws as compile()
    std::string ptx(const CompileJob& job) const;

private:
    explicit Nvrtc(NvrtcLibrary library);

    void check_architecture(const CompileJob& job) const;
    std::vector<std::string> options_for(const CompileJob& job, const std::string& architecture) const;

    NvrtcLibrary library_;
    Version version_;
    std::vector<int> architectures_;
};

/// Highest of `architectures` with the same major number as, and not above, the compute capability.
std::optional<int> best_architecture(const std::vector<int>& architectures, int compute_capability);

}  // namespace limrisk::cuda
